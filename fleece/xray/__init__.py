"""X-Ray traces from Lambda: ``from fleece import xray``.

Lambda itself sends the segment of an invocation. From here come the subsegments: of the functions that are decorated
with `trace_xray_subsegment`, of ``with subsegment(...)`` blocks, and of the AWS and HTTP calls, once
`monkey_patch_botocore_for_xray` and `monkey_patch_requests_for_xray` have been called. They go to the daemon that
Lambda names in ``AWS_XRAY_DAEMON_ADDRESS``, one UDP datagram each, or two: ``FLEECE_XRAY_IN_PROGRESS=0`` turns off the
one that is sent when a subsegment opens.

Nothing here changes what traced code does, whatever happens to the trace. Where an invocation is not sampled, calls go
straight through. An environment variable that cannot be read causes one `RuntimeWarning` per process. Mistakes of
the program (a name that is not a string, a decorated object that cannot be called) raise a `TypeError` where they are
made, sampled or not; what the program traces (arguments, keys, values, exceptions) never raises an error.
"""

from fleece.xray._context import (
    XRayTraceID,
    generate_subsegment_id,
    get_parent_id,
    get_trace_id,
    trace_header,
)
from fleece.xray._current import SubsegmentBlock, bind_context, put_annotation, put_metadata, subsegment
from fleece.xray._document import to_safe_annotation_key, to_safe_annotation_value
from fleece.xray._emitter import XRayDaemon, XRayDaemonNotFoundError, get_xray_daemon
from fleece.xray._patches import (
    monkey_patch_botocore_for_xray,
    monkey_patch_requests_for_xray,
    unpatch_xray,
)
from fleece.xray._trace import send_subsegment_to_xray_daemon, trace_xray_subsegment

__all__ = [
    "SubsegmentBlock",
    "XRayDaemon",
    "XRayDaemonNotFoundError",
    "XRayTraceID",
    "bind_context",
    "generate_subsegment_id",
    "get_parent_id",
    "get_trace_id",
    "get_xray_daemon",
    "monkey_patch_botocore_for_xray",
    "monkey_patch_requests_for_xray",
    "put_annotation",
    "put_metadata",
    "send_subsegment_to_xray_daemon",
    "subsegment",
    "to_safe_annotation_key",
    "to_safe_annotation_value",
    "trace_header",
    "trace_xray_subsegment",
    "unpatch_xray",
]
