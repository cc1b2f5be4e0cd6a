"""`python -m stem_builder` is `stem-build`."""

from stem_builder.cli import main

if __name__ == "__main__":
    main()
