#!/usr/bin/env python
"""The command line: every command finds its database up and its tables in place."""

import sys

from django.core.management import execute_from_command_line

from cxplan.embedded import EmbeddedError
from cxplan.embedded.environment import prepare


def main() -> None:
    try:
        prepare(sys.argv[1:])
        execute_from_command_line(sys.argv)
    except EmbeddedError as error:
        sys.exit(f"cxplan: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
