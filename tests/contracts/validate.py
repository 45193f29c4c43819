"""Whether documents are OpenAPI 3.1: `validate.py FILE...`, exits with 1 when one is not."""

import json
import sys

from openapi_spec_validator import OpenAPIV31SpecValidator

failed = False
for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        errors = list(OpenAPIV31SpecValidator(json.load(file)).iter_errors())
    for error in errors:
        print(f"{name}: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}")
    print(f"{name}: {'not ' if errors else ''}valid OpenAPI 3.1")
    failed |= bool(errors)
sys.exit(failed)
