// Lint rules for the page's modules.

import js from "@eslint/js";
import globals from "globals";

const limits = {
  "max-len": ["error", { code: 120 }],
  "max-lines": ["error", 250],
  "max-lines-per-function": ["error", { max: 30, skipComments: true }],
  complexity: ["error", 12],
};
const habits = {
  eqeqeq: "error",
  "no-implicit-globals": "error",
  "no-param-reassign": "error",
  "no-shadow": ["error", { builtinGlobals: false, hoist: "functions", allow: ["status"] }],
  "no-var": "error",
  "prefer-const": ["error", { destructuring: "all" }],
  "object-shorthand": "error",
  "no-use-before-define": ["error", { functions: false, classes: true, variables: false }],
};

export default [
  js.configs.recommended,
  {
    files: ["msecnn/ui/static/*.js", "web/*/*.js"],
    languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: { ...limits, ...habits, "no-unused-vars": ["error", { args: "all", argsIgnorePattern: "^_" }] },
  },
];
