// Named events of one object, such as a player.

/** @returns {{on: (names: string, listener: Function) => void, emit: (name: string, ...values: any[]) => void}} */
export const emitter = () => {
  /** @type {Map<string, Function[]>} */
  const listeners = new Map();
  return {
    on: (names, listener) =>
      names.split(" ").forEach((name) => listeners.set(name, [...(listeners.get(name) ?? []), listener])),
    emit: (name, ...values) => listeners.get(name)?.forEach((listener) => listener(...values)),
  };
};
