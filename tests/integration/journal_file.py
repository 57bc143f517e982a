# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes files of the journal, with the fields that else journald alone can set: https://systemd.io/JOURNAL_FILE_FORMAT"""

import struct
import uuid

DATA, FIELD, ENTRY, DATA_TABLE, FIELD_TABLE, ENTRY_ARRAY = range(1, 7)
HEADER_SIZE = 240
BUCKETS = 233


def _rotate(x, k):
    return ((x << k) | (x >> (32 - k))) & 0xffffffff


def jenkins(data):
    """The 64 bits of lookup3, of files without a key for their hashes (http://www.burtleburtle.net/bob/c/lookup3.c)."""
    a = b = c = (0xdeadbeef + len(data)) & 0xffffffff
    rest = data
    while len(rest) > 12:
        x, y, z = struct.unpack("<III", rest[:12])
        rest = rest[12:]
        a, b, c = (a + x) & 0xffffffff, (b + y) & 0xffffffff, (c + z) & 0xffffffff
        for first in (4, 6, 8, 16, 19, 4):
            a = (a - c) & 0xffffffff
            a ^= _rotate(c, first)
            c = (c + b) & 0xffffffff
            a, b, c = b, c, a
    if rest:
        x, y, z = struct.unpack("<III", rest.ljust(12, b"\0"))
        a, b, c = (a + x) & 0xffffffff, (b + y) & 0xffffffff, (c + z) & 0xffffffff
        for k in (14, 11, 25, 16, 4, 14, 24):
            c = ((c ^ b) - _rotate(b, k)) & 0xffffffff
            a, b, c = b, c, a
        # seven steps have moved the names on by one
        a, b, c = c, a, b
    return (c << 32) | b


class JournalFile:
    def __init__(self):
        self.data = bytearray(HEADER_SIZE)
        self.known = {}                 # payload: offset of its DATA
        self.fields = {}                # name: offset of its FIELD
        self.entries = []               # offsets
        self.of_data = {}               # offset of a DATA: offsets of its entries
        self.times = []
        self.n_objects = 0
        self.n_arrays = 0
        self.tail = 0
        self.tables = {kind: self._object(kind, bytes(16 * BUCKETS)) + 16 for kind in (DATA_TABLE, FIELD_TABLE)}
        self.boot = uuid.uuid4()

    def _object(self, kind, body):
        offset = len(self.data)
        self.data += struct.pack("<BB6xQ", kind, 0, 16 + len(body)) + body
        self.data += bytes(-len(self.data) % 8)
        self.n_objects += 1
        self.tail = offset
        return offset

    def _put(self, offset, *values):
        struct.pack_into(f"<{len(values)}Q", self.data, offset, *values)

    def _get(self, offset):
        return struct.unpack_from("<Q", self.data, offset)[0]

    def _hash_in(self, table, value, offset, next_at):
        bucket = self.tables[table] + value % BUCKETS * 16
        tail = self._get(bucket + 8)
        if tail:
            self._put(tail + next_at, offset)
        else:
            self._put(bucket, offset)
        self._put(bucket + 8, offset)

    def _field(self, name):
        if name not in self.fields:
            value = jenkins(name)
            self.fields[name] = self._object(FIELD, struct.pack("<QQQ", value, 0, 0) + name)
            self._hash_in(FIELD_TABLE, value, self.fields[name], 24)
        return self.fields[name]

    def _payload(self, payload):
        if payload not in self.known:
            value = jenkins(payload)
            field = self._field(payload.split(b"=", 1)[0])
            offset = self._object(DATA, struct.pack("<QQQQQQ", value, 0, self._get(field + 32), 0, 0, 0) + payload)
            self._put(field + 32, offset)
            self._hash_in(DATA_TABLE, value, offset, 24)
            self.known[payload] = offset
            self.of_data[offset] = []
        return self.known[payload]

    def add(self, usec, boot=None, **fields):
        """An entry at this time; values are text or bytes, or lists of them."""
        boot = boot or self.boot
        fields = {"_SYSTEMD_UNIT": "lkmd.service", **fields, "_BOOT_ID": boot.hex}
        payloads = set()
        for name, values in fields.items():
            for value in values if isinstance(values, list) else [values]:
                value = value if isinstance(value, bytes) else str(value).encode()
                payloads.add(name.encode() + b"=" + value)
        offsets = sorted(self._payload(payload) for payload in payloads)
        items = b"".join(struct.pack("<QQ", offset, self._get(offset + 16)) for offset in offsets)
        number = len(self.entries) + 1
        self.entries.append(self._object(ENTRY, struct.pack("<QQQ16sQ", number, usec, number, boot.bytes, 0) + items))
        self.times.append(usec)
        for offset in offsets:
            self.of_data[offset].append(self.entries[-1])
        self.last_boot = boot

    def _array(self, offsets):
        self.n_arrays += 1
        return self._object(ENTRY_ARRAY, struct.pack(f"<Q{len(offsets)}Q", 0, *offsets))

    def write(self, path):
        for offset, entries in self.of_data.items():
            array = self._array(entries[1:]) if len(entries) > 1 else 0
            self._put(offset + 40, entries[0], array, len(entries))
        array = self._array(self.entries) if self.entries else 0
        n = len(self.entries)
        boot = self.last_boot if self.entries else self.boot
        struct.pack_into("<8sIIB7x16s16s16s16sQQQQQQQQQQQQQQQ", self.data, 0, b"LPKSHHRH", 0, 0, 2, uuid.uuid4().bytes, uuid.uuid4().bytes,
                         boot.bytes, uuid.uuid4().bytes, HEADER_SIZE, len(self.data) - HEADER_SIZE,
                         self.tables[DATA_TABLE], 16 * BUCKETS, self.tables[FIELD_TABLE], 16 * BUCKETS, self.tail, self.n_objects,
                         n, n, 1 if n else 0, array, self.times[0] if n else 0, self.times[-1] if n else 0, n)
        struct.pack_into("<QQQQ", self.data, 208, len(self.known), len(self.fields), 0, self.n_arrays)
        path.write_bytes(self.data)
