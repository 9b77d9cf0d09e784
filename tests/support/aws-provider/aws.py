"""Calls AWS for the provider plugin: a line of JSON in, a line of JSON out, until standard input ends.

    {"region": "eu-central-1", "service": "rds", "operation": "DescribeDBInstances", "parameters": {}}
    {"answer": {"DBInstances": []}}  or  {"error": {"code": "AccessDenied", "message": "…"}}

botocore builds the requests and reads the answers, from the same models that the plugin checks values against.
"""

import base64
import datetime
import io
import json
import signal
import sys
import zipfile
from pathlib import Path

import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

SIGNATURE = "4dabf18193072939515e22adb298388d"
session = botocore.session.get_session()
clients = {}


def client(service, region):
    if (service, region) not in clients:
        config = Config(retries={"total_max_attempts": 2}, read_timeout=30)
        clients[service, region] = session.create_client(service, region_name=region, config=config)
    return clients[service, region]


def with_archives(value):
    """Pulumi's archives become the bytes of a ZIP file."""
    if isinstance(value, list):
        return [with_archives(element) for element in value]
    if not isinstance(value, dict):
        return value
    if SIGNATURE not in value:
        return {key: with_archives(inner) for key, inner in value.items()}
    if Path(value.get("path", "")).is_file():
        return Path(value["path"]).read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in sorted(files(value)):
            archive.writestr(zipfile.ZipInfo(name), content)
    return packed.getvalue()


def files(asset, name=""):
    if "text" in asset:
        yield name, asset["text"].encode()
    elif "assets" in asset:
        for key, inner in asset["assets"].items():
            yield from files(inner, f"{name}/{key}".lstrip("/"))
    else:
        root = Path(asset["path"])
        for file in [root] if root.is_file() else root.rglob("*"):
            if file.is_file():
                relative = "" if file == root else file.relative_to(root).as_posix()
                yield "/".join(part for part in (name, relative) if part), file.read_bytes()


def plain(value):
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if hasattr(value, "read"):
        return base64.b64encode(value.read()).decode()
    return str(value)


def answer(request):
    try:
        operation = getattr(client(request["service"], request["region"]), xform_name(request["operation"]))
        result = operation(**with_archives(request["parameters"]))
        result.pop("ResponseMetadata", None)
        return {"answer": result}
    except ClientError as error:
        return {"error": {"code": error.response["Error"]["Code"], "message": str(error)}}
    except Exception as error:  # botocore has no common class for what it can’t read
        return {"error": {"code": type(error).__name__, "message": str(error)}}


# The engine interrupts a plugin with all that it started; this ends with its standard input.
signal.signal(signal.SIGINT, signal.SIG_IGN)
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line)), default=plain), flush=True)
