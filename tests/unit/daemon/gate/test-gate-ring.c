/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A file in memory stands for the ring buffer: the kernel's pages in the same order, but the data twice. */

#include "daemon/gate/gate-ring.h"

#include <linux/bpf.h>
#include <sys/mman.h>

#include "test.h"

#define SIZE 4096U

typedef struct Ring {
        int fd;
        size_t page;
        uint64_t *read, *written;
        char *data;
        GateRing *ring;
        char seen[64];                  /* the first letter of each name */
        bool read_on;
} Ring;

static void ring_open(Ring *r) {
        char *p;

        *r = (Ring) { .page = (size_t) sysconf(_SC_PAGESIZE) };
        r->fd = memfd_create("ring", MFD_CLOEXEC);
        assert_true(r->fd >= 0);
        assert_int_equal(ftruncate(r->fd, (off_t) (2 * r->page + 2 * SIZE)), 0);
        p = mmap(NULL, 2 * r->page + 2 * SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
        assert_ptr_not_equal(p, MAP_FAILED);
        r->read = (void *) p;
        r->written = (void *) (p + r->page);
        r->data = p + 2 * r->page;
        assert_ok(gate_ring_new(&r->ring, r->fd, SIZE));
}

static void ring_close(Ring *r) {
        gate_ring_free(r->ring);
        (void) munmap(r->read, 2 * r->page + 2 * SIZE);
        (void) close(r->fd);
}

/* As bpf_ringbuf_reserve() and _submit() in kernel/bpf/ringbuf.c do. */
static void put(Ring *r, char name, uint32_t flags, uint32_t length) {
        GateEvent event = { .kind = GATE_EVENT_REQUEST, .name = { name } };
        size_t place = *r->written % SIZE;
        uint32_t head = length | flags;

        memcpy(r->data + place, &head, sizeof(head));
        memcpy(r->data + place + BPF_RINGBUF_HDR_SZ, &event, MIN((size_t) length, sizeof(event)));
        *r->written += (length + BPF_RINGBUF_HDR_SZ + 7U) / 8U * 8U;
}

static void on_event(const GateEvent *event, void *userdata) {
        Ring *r = userdata;

        r->seen[strlen(r->seen)] = event->name[0];
        if (r->read_on)
                (void) gate_ring_read(r->ring, 100, on_event, r);
}

static size_t read_all(Ring *r) {
        memset(r->seen, 0, sizeof(r->seen));
        return gate_ring_read(r->ring, 100, on_event, r);
}

static void test_order(void **state) {
        Ring r;

        ring_open(&r);
        assert_int_equal(read_all(&r), 0);
        put(&r, 'a', 0, sizeof(GateEvent));
        put(&r, 'b', BPF_RINGBUF_DISCARD_BIT, sizeof(GateEvent));
        put(&r, 'c', 0, sizeof(GateEvent) - 8); /* of another version */
        put(&r, 'd', 0, sizeof(GateEvent));
        assert_int_equal(read_all(&r), 2);
        assert_string_equal(r.seen, "ad");
        assert_int_equal(*r.read, *r.written);
        ring_close(&r);
}

static void test_busy(void **state) {
        uint32_t *head;
        Ring r;

        ring_open(&r);
        put(&r, 'a', 0, sizeof(GateEvent));
        head = (uint32_t *) (void *) (r.data + *r.written % SIZE);
        put(&r, 'b', BPF_RINGBUF_BUSY_BIT, sizeof(GateEvent));
        put(&r, 'c', 0, sizeof(GateEvent));
        assert_int_equal(read_all(&r), 1);
        assert_string_equal(r.seen, "a");
        *head &= ~BPF_RINGBUF_BUSY_BIT;
        assert_int_equal(read_all(&r), 2);
        assert_string_equal(r.seen, "bc");
        ring_close(&r);
}

static void test_limit_and_wrap(void **state) {
        Ring r;

        ring_open(&r);
        for (char c = 'a'; c <= 'z'; c++) { /* more than fit at once */
                put(&r, c, 0, sizeof(GateEvent));
                put(&r, (char) (c - 'a' + 'A'), 0, sizeof(GateEvent));
                memset(r.seen, 0, sizeof(r.seen));
                assert_int_equal(gate_ring_read(r.ring, 1, on_event, &r), 1);
                assert_int_equal(gate_ring_read(r.ring, 5, on_event, &r), 1);
                assert_int_equal(r.seen[0], c);
                assert_int_equal(r.seen[1], c - 'a' + 'A');
        }
        ring_close(&r);
}

/* Whoever gets an event may ask for the rest: each is seen once. */
static void test_from_within(void **state) {
        Ring r;

        ring_open(&r);
        r.read_on = true;
        for (char c = 'a'; c <= 'e'; c++)
                put(&r, c, 0, sizeof(GateEvent));
        (void) read_all(&r);
        assert_string_equal(r.seen, "abcde");
        assert_int_equal(*r.read, *r.written);
        assert_int_equal(read_all(&r), 0);
        ring_close(&r);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_busy),
                cmocka_unit_test(test_limit_and_wrap),
                cmocka_unit_test(test_from_within),
        };

        return RUN_TESTS(tests);
}
