"""Fly through a feature: the way of one winning cell, from the classifier's weight down to seconds and Hz."""

from dataclasses import asdict
from typing import Any

import numpy as np

from msecnn.explain.feature_path import FilterStep
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.explanation_request import requested_explanation
from msecnn.ui.server.request_fields import whole_number
from msecnn.ui.server.rpc import Answer, Page, Payload, Request
from msecnn.ui.server.session import Session


def build(page: Page) -> None:
    page.mount_point("flight")
    page.endpoint("feature-path", trace, model=True)


def trace(context: AppContext, session: Session | None, request: Request) -> Answer:
    """One feature of the tag, model and window that are asked about; all numbers are the network's."""
    explanation = requested_explanation(context, session, request)
    path = explanation.feature_path(str(request.get("scale")), whole_number(request, "channel"))
    return Answer(
        {
            "scale": path.scale,
            "channel": path.channel,
            "value": path.value,
            "average": path.average,
            "weight": path.weight,
            "relative": path.relative,
            "steps": [_step(step) for step in path.steps],
            "cell": _plain(asdict(path.cell)) | asdict(path.cell.field),
        }
    )


def _step(step: FilterStep) -> Payload:
    return _plain(asdict(step)) | asdict(step.field) | {"filter_sum": step.filter_sum, "normalised": step.normalised}


def _plain(fields: dict[str, Any]) -> Payload:
    """Arrays as lists; the field's seconds and Hz stand beside the others."""
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in fields.items()
        if name != "field"
    }
