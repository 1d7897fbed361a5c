"""What OpenAPI says of every operation alike: the shape of its errors."""

from typing import Any

_TEXT = {"type": "string"}
PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "An error as in RFC 9457.",
    "required": ["type", "title", "status", "detail", "code", "errors"],
    "properties": {
        "type": {**_TEXT, "format": "uri"},
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "code": _TEXT,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "message"],
                "properties": {
                    "pointer": {**_TEXT, "description": "JSON pointer to the field, as a URI fragment."},
                    "code": _TEXT,
                    "message": _TEXT,
                },
            },
        },
    },
}
OPERATIONS = frozenset({"get", "post", "patch", "put", "delete"})
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Sending the same call with the same key again answers as the first time and changes nothing.",
    "schema": {"type": "string", "pattern": "^[ -~]{1,255}$"},
}


def add_common_parts(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """Complete the generated document with problems and with the header that every POST understands."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    components.setdefault("responses", {})["Problem"] = {
        "description": "What went wrong and what to do.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for operations in result["paths"].values():
        for method, operation in operations.items():
            if method not in OPERATIONS:
                continue
            operation["responses"].setdefault("4XX", {"$ref": "#/components/responses/Problem"})
            if method == "post":
                operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
    return result
