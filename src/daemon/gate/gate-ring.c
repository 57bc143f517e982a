/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * GateRing: reads a BPF ring buffer (Documentation/bpf/ringbuf.rst). libbpf could do this as well, but would bring
 * itself, libelf and two libraries for compression into the memory of a process that needs nothing else of them.
 *
 * The buffer is mapped twice in a row, so that a record that goes around its end lies in one piece. In front of it are
 * two pages: how far was read, which is written here, and how far was written. Owns the mappings, borrows the
 * descriptor.
 */

#include "daemon/gate/gate-ring.h"

#include <assert.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <sys/mman.h>

#define RECORD_ALIGNMENT 8U
#define LENGTH_MASK (~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT))

struct GateRing {
        size_t size_bytes, page_bytes;
        uint64_t *read_position;        /* mapped, and so is the next */
        const uint64_t *written_position;
        const char *data;
};

/**
 * gate_ring_new() - map a ring buffer
 * @fd:         its map; may be closed afterwards
 * @size_bytes: of the map
 *
 * Return: 0; -ENOMEM; what mmap(2) says.
 */
int gate_ring_new(GateRing **ret, int fd, size_t size_bytes) {
        _cleanup_(gate_ring_freep) GateRing *r = NULL;
        void *p;

        assert(ret && fd >= 0 && size_bytes > 0);

        r = calloc(1, sizeof(*r));
        if (!r)
                return -ENOMEM;
        r->size_bytes = size_bytes;
        r->page_bytes = (size_t) sysconf(_SC_PAGESIZE);
        p = mmap(NULL, r->page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED)
                return -errno;
        r->read_position = p;
        p = mmap(NULL, r->page_bytes + 2 * size_bytes, PROT_READ, MAP_SHARED, fd, (off_t) r->page_bytes);
        if (p == MAP_FAILED)
                return -errno;
        r->written_position = p;
        r->data = (const char *) p + r->page_bytes;

        *ret = STEAL_PTR(r);
        return 0;
}

/* Return: NULL. */
GateRing *gate_ring_free(GateRing *r) {
        if (!r)
                return NULL;

        if (r->read_position)
                (void) munmap(r->read_position, r->page_bytes);
        if (r->written_position)
                (void) munmap((void *) r->written_position, r->page_bytes + 2 * r->size_bytes);
        free(r);
        return NULL;
}

/**
 * gate_ring_read() - take events out of the buffer, in the order in which they began
 * @max: at most so many
 *
 * An event that is still being written ends it; the descriptor becomes readable again when it is complete.
 *
 * Return: how many there were.
 */
size_t gate_ring_read(GateRing *r, size_t max, gate_ring_event_t on_event, void *userdata) {
        uint64_t end;
        size_t n = 0;

        assert(r && on_event);

        end = __atomic_load_n(r->written_position, __ATOMIC_ACQUIRE);
        while (*r->read_position < end && n < max) {
                uint64_t position = *r->read_position; /* nobody else writes it, but @on_event may read on */
                const char *record = r->data + (position & (r->size_bytes - 1));
                uint32_t head = __atomic_load_n((const uint32_t *) record, __ATOMIC_ACQUIRE);
                uint32_t length = head & LENGTH_MASK;
                GateEvent event;
                bool is_event;

                if (head & BPF_RINGBUF_BUSY_BIT)
                        break;
                is_event = !(head & BPF_RINGBUF_DISCARD_BIT) && length == sizeof(event);
                if (is_event)
                        memcpy(&event, record + BPF_RINGBUF_HDR_SZ, sizeof(event));
                position += (length + BPF_RINGBUF_HDR_SZ + RECORD_ALIGNMENT - 1) &
                            ~(uint64_t) (RECORD_ALIGNMENT - 1);
                __atomic_store_n(r->read_position, position, __ATOMIC_RELEASE);
                if (is_event) {
                        on_event(&event, userdata);
                        n++;
                }
        }
        return n;
}
