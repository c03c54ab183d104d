"""`python -m samcli` is the command `samcli`."""

from samcli.cli.app import main

if __name__ == "__main__":
    main()
