"""The whole system in one process, where every moment that may differ is a choice.

The real use cases and the real replay core run on the memory store, in virtual time. Executors,
sweepers and triggers take turns at every port call; messages come twice, late, early and in any
order; processes die before and after every call, stand still and wake up too late; answers get
lost; clocks differ. ``world`` says what happens, ``explore`` plays every schedule of a kind,
``seeds`` draws schedules from a number and cuts a failing one down to what it takes to fail.
"""
