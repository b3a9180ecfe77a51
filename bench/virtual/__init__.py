"""Everstep on AWS in virtual time: the real engine, on services that take as long as is assumed."""
