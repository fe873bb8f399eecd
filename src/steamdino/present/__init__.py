"""What people see: the command line, exports, the page. Printing and exit codes live here alone."""

from __future__ import annotations
