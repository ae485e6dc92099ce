"""An emulated board: the firmware's own main.py on one of two runtimes, with everything around it handed in."""
