"""Pictures, one file each; drawn without a window system, and the same picture is the same file."""

from samcli.report.pictures._figure import encode as encode
