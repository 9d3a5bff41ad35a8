#!/usr/bin/env python3
"""Adds spectral band replication to AAC-LC in ADTS: HE-AAC with implicit signalling.

usage: make_he_aac.py LC.aac HE.aac

The payload is the smallest valid one: one envelope and one noise floor with all steps zero, so that
almost nothing is replicated. A decoder that supports replication returns twice the rate and twice the
frames; others return the core. Source: ISO/IEC 14496-3, 4.4.2.8 and 4.6.18.
"""
import sys


def frames(data):
    at = 0
    while at + 7 <= len(data):
        length = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        yield data[at : at + length]
        at += length


def number(value, bits):
    return format(value, f"0{bits}b")


def replication():
    """A fill element with the header and one channel or channel pair, all zero."""
    kind = number(13, 4)  # spectral band replication
    header = "1" + "1" + number(5, 4) + number(9, 4) + number(0, 3) + "00" + "00"
    count = 14  # bytes: what follows the header is zeros
    payload = (kind + header).ljust(8 * count, "0")
    return number(6, 3) + number(count, 4) + payload


def with_replication(frame):
    head, body = frame[:7], frame[7:]
    bits = "".join(number(byte, 8) for byte in body)
    end = bits.rindex("1") + 1 - 3  # start of the element "111", which ends the block
    assert bits[end : end + 3] == "111"
    bits = bits[:end] + replication() + "111"
    bits += "0" * (-len(bits) % 8)
    body = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    length = 7 + len(body)
    head = bytearray(head)
    head[3] = head[3] & 0xFC | length >> 11
    head[4] = length >> 3 & 0xFF
    head[5] = (length & 7) << 5 | head[5] & 0x1F
    return bytes(head) + body


data = open(sys.argv[1], "rb").read()
open(sys.argv[2], "wb").write(b"".join(map(with_replication, frames(data))))
