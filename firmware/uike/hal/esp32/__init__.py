"""The boards: official MicroPython images for the ESP32 family. Today the crypto provider and its engines."""
