"""Somebody at the keyboard and the mouse of an X server, by its XTEST extension."""

import ctypes
import ctypes.util


class Person:
    LEFT, RIGHT, WHEEL_UP, WHEEL_DOWN = 1, 3, 4, 5

    def __init__(self):
        self._x11 = ctypes.CDLL(ctypes.util.find_library("X11"))
        self._test = ctypes.CDLL(ctypes.util.find_library("Xtst"))
        self._x11.XOpenDisplay.restype = ctypes.c_void_p
        self._x11.XStringToKeysym.restype = ctypes.c_ulong
        self._display = ctypes.c_void_p(self._x11.XOpenDisplay(None))

    def key(self, name, down):
        symbol = ctypes.c_ulong(self._x11.XStringToKeysym(name.encode()))
        code = self._x11.XKeysymToKeycode(self._display, symbol)
        self._test.XTestFakeKeyEvent(self._display, code, down, 0)
        self._x11.XSync(self._display, 0)

    def type(self, name):
        self.key(name, True)
        self.key(name, False)

    def move(self, x, y):
        self._test.XTestFakeMotionEvent(self._display, -1, x, y, ctypes.c_ulong(0))
        self._x11.XSync(self._display, 0)

    def button(self, number, down):
        self._test.XTestFakeButtonEvent(self._display, number, down, ctypes.c_ulong(0))
        self._x11.XSync(self._display, 0)

    def click(self, number):
        self.button(number, True)
        self.button(number, False)
