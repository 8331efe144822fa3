"""What importing fleece.xray costs, counted in modules."""

import subprocess
import sys

from fleece import xray


def _imported_by(code):
    script = f"import sys; before = set(sys.modules); {code}; new = set(sys.modules) - before; print(*sorted(new))"
    done = subprocess.run([sys.executable, "-I", "-c", script], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_only_the_light_part_of_the_standard_library_is_imported():
    """Neither what it patches, nor what is slow to import."""
    imported = _imported_by("import fleece.xray")
    heavy = {
        "asyncio",
        "boto3",
        "botocore",
        "dataclasses",
        "enum",
        "inspect",
        "json",
        "logging",
        "re",
        "requests",
        "socket",
        "typing",
        "urllib",
    }
    assert not heavy & imported
    foreign = {name.partition(".")[0] for name in imported} - set(sys.stdlib_module_names) - {"fleece"}
    assert foreign == set()


def test_decorating_imports_nothing():
    """Neither does calling what is decorated, where nothing is sampled."""
    code = (
        "import fleece.xray; before = set(sys.modules);"
        "f = fleece.xray.trace_xray_subsegment()(lambda: 1); f();"
        "g = fleece.xray.bind_context(f); g()"
    )
    assert _imported_by(code) == set()


def test_the_public_names():
    """1.2.1's that are kept, and the new ones."""
    kept = {
        "XRayDaemon",
        "XRayDaemonNotFoundError",
        "XRayTraceID",
        "generate_subsegment_id",
        "get_parent_id",
        "get_trace_id",
        "get_xray_daemon",
        "monkey_patch_botocore_for_xray",
        "monkey_patch_requests_for_xray",
        "send_subsegment_to_xray_daemon",
        "to_safe_annotation_key",
        "to_safe_annotation_value",
        "trace_xray_subsegment",
    }
    new = {
        "SubsegmentBlock",
        "bind_context",
        "put_annotation",
        "put_metadata",
        "subsegment",
        "trace_header",
        "unpatch_xray",
    }
    assert set(xray.__all__) == kept | new
    assert xray.__all__ == sorted(xray.__all__)
    assert all(getattr(xray, name).__doc__ for name in xray.__all__)
