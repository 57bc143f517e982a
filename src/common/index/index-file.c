/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * IndexFile: a reader of the tries that depmod(8) writes as modules.*.bin. Owns a copy of the file: with a
 * mapping, somebody's truncate(2) would cause a SIGBUS. The whole file is checked when it is opened, and
 * only if every node, string and offset is valid there is an object; later walks and searches rely on that.
 * Programs that look up a key or two and end need neither copy nor check (index_file_map()): the nodes that
 * a search comes to are checked then.
 *
 * The format (kmod, libkmod/libkmod-index.c), all numbers big-endian and 32 bits unless said otherwise:
 *
 *      file  = magic version root node...
 *      node  = [prefix NUL] [first:8 last:8 child * (last - first + 1)]
 *              [count (priority string NUL) * count]
 *
 * The top bits of an offset (root, child) say which of the three parts its node has. Things that libkmod
 * relies on are checked, too: strings end inside of the file, no byte belongs to two nodes (so there are no
 * cycles, and a walk is linear), and in a file of the only existing version every byte belongs to a node: a
 * block of zeroes is a broken file, and not a set of modules without aliases.
 */

#include "common/index/index-file.h"

#include <assert.h>
#include <endian.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/base/array.h"
#include "common/base/glob.h"
#include "common/base/read-file.h"

#define INDEX_MAGIC 0xB007F457U
#define INDEX_VERSION 0x00020001U
#define INDEX_VERSION_MAJOR 2U
#define INDEX_HEADER_SIZE 12U

#define OFFSET_MASK 0x0FFFFFFFU
#define OFFSET_PREFIX 0x80000000U
#define OFFSET_VALUES 0x40000000U
#define OFFSET_CHILDREN 0x20000000U

#define CHILD_END 128U                  /* keys are ASCII */
#define KEY_MAX 65536U                  /* bytes of a key with its NUL; the longest of Debian 13 has 150 */
#define FILE_MAX (64U << 20)            /* bytes; the largest of Debian 13 has 2 MiB */
#define VALUE_MIN 5U                    /* bytes of the shortest value: a priority and an empty string */

struct IndexFile {
        char *name;                     /* for messages */
        uint8_t *data;
        size_t size;
        enum {
                OWNED,
                MAPPED,
                BORROWED
        } data_is; /* only what is owned was checked and counted */
        uint32_t root;                  /* offset with its flags */
        size_t n_values;
};

typedef struct Node {
        const char *prefix;             /* "" if it has none */
        size_t prefix_length;
        const uint8_t *children;        /* n_children offsets */
        uint8_t first;                  /* byte of the key that the first one is for */
        uint32_t n_children;
        const uint8_t *values;
        uint32_t n_values;
        const uint8_t *end;
} Node;

typedef struct Frame {                  /* a node between the root and the current node of a walk */
        Node node;
        uint32_t next_child;
        size_t key_length;              /* of the key, including the prefix of the node */
} Frame;

typedef struct Walk {
        const IndexFile *file;
        index_file_entry_t entry;       /* NULL: the walk only checks */
        bool last;                      /* values come after those of all nodes below, as in libkmod */
        void *userdata;
        Frame *stack;
        size_t n_stack, n_stack_allocated;
        char *key;
        size_t key_length, key_allocated;
        uint8_t *claimed;               /* a bit for each byte of a node; NULL: the file was checked before */
        size_t n_claimed;               /* bytes */
        size_t n_values;
        size_t n_nodes;                 /* visited so far */
        const char *problem;            /* with -EBADMSG */
        size_t problem_offset;
} Walk;

static uint32_t read_u32(const uint8_t *p) {
        uint32_t v;

        memcpy(&v, p, sizeof(v));
        return be32toh(v);
}

static void walk_done(Walk *w) {
        free(w->stack);
        free(w->key);
        free(w->claimed);
}

static int walk_bad(Walk *w, size_t offset, const char *problem) {
        w->problem = problem;
        w->problem_offset = offset;
        return -EBADMSG;
}

/* Return: behind the string; NULL: it does not end inside of the file. */
static const uint8_t *skip_string(const IndexFile *f, const uint8_t *p) {
        const uint8_t *end = f->data + f->size;

        p = p < end ? memchr(p, 0, (size_t) (end - p)) : NULL;
        return p ? p + 1 : NULL;
}

/**
 * node_parse() - find the parts of the node at an offset
 * @offset: with its flags, as in the file
 *
 * Checks that all parts are inside of the file, but not the children.
 *
 * Return: NULL; else what is wrong with the node.
 */
static const char *node_parse(const IndexFile *f, uint32_t offset, Node *ret) {
        const uint8_t *p = f->data + (offset & OFFSET_MASK), *end = f->data + f->size;
        Node n = { .prefix = "" };

        if ((offset & OFFSET_MASK) < INDEX_HEADER_SIZE || (offset & OFFSET_MASK) > f->size)
                return "an offset points outside of the file";

        if (offset & OFFSET_PREFIX) {
                n.prefix = (const char *) p;
                p = skip_string(f, p);
                if (!p)
                        return "a key does not end inside the file";
                n.prefix_length = (size_t) (p - (const uint8_t *) n.prefix) - 1;
        }

        if (offset & OFFSET_CHILDREN) {
                if (end - p < 2)
                        return "a node does not end inside the file";
                n.first = p[0];
                if (n.first == 0 || n.first > p[1] || p[1] >= CHILD_END)
                        return "a node has an impossible range of children";
                n.n_children = p[1] - n.first + 1U;
                n.children = p + 2;
                if ((size_t) (end - n.children) < n.n_children * sizeof(uint32_t))
                        return "a node does not end inside the file";
                p = n.children + n.n_children * sizeof(uint32_t);
        }

        if (offset & OFFSET_VALUES) {
                if ((size_t) (end - p) < sizeof(uint32_t))
                        return "a node does not end inside the file";
                n.n_values = read_u32(p);
                n.values = p + sizeof(uint32_t);
                if (n.n_values > (size_t) (end - n.values) / VALUE_MIN)
                        return "a node has more values than the file has room for";
                p = n.values;
                for (uint32_t i = 0; i < n.n_values; i++) {
                        if ((size_t) (end - p) < sizeof(uint32_t))
                                return "a value does not end inside the file";
                        p = skip_string(f, p + sizeof(uint32_t));
                        if (!p)
                                return "a value does not end inside the file";
                }
        }

        n.end = p;
        *ret = n;
        return NULL;
}

/* Marks the bytes [from, to) as those of a node. Return: 0; -EBADMSG: some belong to another node. */
static int walk_claim(Walk *w, size_t from, size_t to) {
        for (size_t i = from; i < to;) {
                size_t n = MIN(8 - i % 8, to - i);
                uint8_t mask = (uint8_t) (((1U << n) - 1) << i % 8);

                if (w->claimed[i / 8] & mask)
                        return walk_bad(w, from, "two nodes overlap");
                w->claimed[i / 8] |= mask;
                i += n;
        }
        w->n_claimed += to - from;
        return 0;
}

/*
 * Appends to the key: bytes that are at @offset of the file, or the label of a child whose offset is there.
 */
static int walk_append(Walk *w, size_t offset, const char *bytes, size_t n) {
        size_t need = w->key_length + n + 1;
        int r;

        if (need > KEY_MAX)
                return walk_bad(w, offset, "a key is too long");
        r = array_reserve(&w->key, &w->key_allocated, need, 1);
        if (r < 0)
                return r;

        memcpy(w->key + w->key_length, bytes, n);
        w->key_length += n;
        w->key[w->key_length] = 0;
        return 0;
}

static int values_foreach(const Node *n, const char *key, index_file_entry_t entry, void *userdata) {
        const uint8_t *p = n->values;
        int r;

        for (uint32_t i = 0; i < n->n_values; i++) {
                const char *value = (const char *) p + sizeof(uint32_t);

                r = entry(key, value, read_u32(p), userdata);
                if (r < 0)
                        return r;
                p = (const uint8_t *) value + strlen(value) + 1;
        }
        return 0;
}

/* Enters a node: appends its prefix to the key, passes its values on, pushes it on the stack. */
static int walk_enter(Walk *w, uint32_t offset) {
        const char *problem;
        Node n;
        int r;

        problem = node_parse(w->file, offset, &n);
        if (problem)
                return walk_bad(w, offset & OFFSET_MASK, problem);
        if (++w->n_nodes > w->file->size)       /* a node has at least one byte */
                return walk_bad(w, offset & OFFSET_MASK, "its nodes go round in a circle");
        if (w->claimed) {
                r = walk_claim(w, offset & OFFSET_MASK, (size_t) (n.end - w->file->data));
                if (r < 0)
                        return r;
        }

        r = array_reserve(&w->stack, &w->n_stack_allocated, w->n_stack + 1, sizeof(*w->stack));
        if (r < 0)
                return r;
        r = walk_append(w, offset & OFFSET_MASK, n.prefix, n.prefix_length);
        if (r < 0)
                return r;
        w->stack[w->n_stack++] = (Frame) { .node = n, .key_length = w->key_length };
        w->n_values += n.n_values;
        return w->entry && !w->last ? values_foreach(&n, w->key, w->entry, w->userdata) : 0;
}

static int walk_leave(Walk *w) {
        const Frame *top = &w->stack[--w->n_stack];

        if (!w->last)
                return 0;
        w->key_length = top->key_length;
        w->key[w->key_length] = '\0';
        return values_foreach(&top->node, w->key, w->entry, w->userdata);
}

/*
 * Visits all nodes in the order of the bytes of their keys, each before what is below it. Each step adds a
 * byte to the key, so KEY_MAX limits the stack.
 */
static int walk_run(Walk *w, uint32_t from) {
        int r;

        r = walk_enter(w, from);
        while (r >= 0 && w->n_stack > 0) {
                Frame *top = &w->stack[w->n_stack - 1];
                uint32_t i, offset;
                char label;

                if (top->next_child >= top->node.n_children) {
                        r = walk_leave(w);
                        continue;
                }
                i = top->next_child++;
                offset = read_u32(top->node.children + i * sizeof(uint32_t));
                if (offset == 0)        /* no child for this byte */
                        continue;

                w->key_length = top->key_length;
                label = (char) (top->node.first + i);
                r = walk_append(w, offset & OFFSET_MASK, &label, 1);
                if (r >= 0)
                        r = walk_enter(w, offset);
        }
        return MIN(r, 0);
}

/* Visits and checks everything; w->problem says what is wrong, if anything is. */
static int walk_check(Walk *w) {
        int r;

        w->claimed = calloc(w->file->size / 8 + 1, 1);
        if (!w->claimed)
                return -ENOMEM;

        r = walk_run(w, w->file->root);
        if (r < 0)
                return r;
        if (read_u32(w->file->data + 4) == INDEX_VERSION &&
            w->n_claimed != w->file->size - INDEX_HEADER_SIZE)
                return walk_bad(w, w->file->size, "some bytes belong to no node");
        return 0;
}

static int walk_header(Walk *w, IndexFile *f) {
        if (f->size < INDEX_HEADER_SIZE)
                return walk_bad(w, f->size, "the header is cut short");
        if (read_u32(f->data) != INDEX_MAGIC)
                return walk_bad(w, 0, "this is no module index");
        if (read_u32(f->data + 4) >> 16 != INDEX_VERSION_MAJOR)
                return walk_bad(w, 4, "the format has an unknown version");
        f->root = read_u32(f->data + 8);
        return 0;
}

static int index_file_check(IndexFile *f, ProblemList *problems) {
        _cleanup_(walk_done) Walk w = { .file = f };
        int r;

        r = walk_header(&w, f);
        if (r >= 0)
                r = walk_check(&w);

        if (r == -EBADMSG)
                (void) problem_list_add(problems, f->name, 0, "broken module index: %s (byte %zu of %zu)",
                                        w.problem, w.problem_offset, f->size);
        else if (r >= 0)
                f->n_values = w.n_values;
        return r;
}

/* @data is taken, also on failure. */
static int index_file_take(IndexFile **ret, const char *name, uint8_t *data, size_t size,
                           ProblemList *problems) {
        _cleanup_(index_file_freep) IndexFile *f = NULL;
        int r;

        f = calloc(1, sizeof(*f));
        if (!f) {
                free(data);
                return -ENOMEM;
        }
        f->data = data;
        f->size = size;
        f->name = strdup(name);
        if (!f->name)
                return -ENOMEM;

        r = index_file_check(f, problems);
        if (r < 0)
                return r;
        *ret = STEAL_PTR(f);
        return 0;
}

/**
 * index_file_open() - read a modules.*.bin and check all of it
 * @problems: gets what is wrong with the file, but not that there is none. May be NULL
 *
 * Return: 0; -ENOENT; -EBADMSG: it is no valid index; -EBADF, -EISDIR: not a regular file; -EFBIG: larger
 * than any index is; other errors of open(2) and read(2); -ENOMEM.
 */
int index_file_open(IndexFile **ret, const char *path, ProblemList *problems) {
        _cleanup_(closep) int fd = -EBADF;
        char *data = NULL;
        size_t size = 0;
        int r;

        assert(ret && path);

        fd = read_file_open(path);
        r = fd < 0 ? fd : read_file(fd, FILE_MAX, &data, &size);
        if (r < 0) {
                if (r == -EBADF)
                        (void) problem_list_add(problems, path, 0, "cannot be read: Not a regular file");
                else if (r != -ENOENT)
                        (void) problem_list_add_unread(problems, path, "cannot be read: %s",
                                                       strerrordesc_np(-r));
                return r;
        }
        return index_file_take(ret, path, (uint8_t *) data, size, problems);
}

/**
 * index_file_new() - the same from memory
 * @name: for messages
 * @data: copied
 *
 * Return: 0; -EBADMSG: it is no valid index, @problems says why; -EFBIG; -ENOMEM.
 */
int index_file_new(IndexFile **ret, const char *name, const void *data, size_t size, ProblemList *problems) {
        uint8_t *copy;

        assert(ret && name && (data || size == 0));

        if (size > FILE_MAX) {
                (void) problem_list_add(problems, name, 0, "cannot be read: %s", strerrordesc_np(EFBIG));
                return -EFBIG;
        }
        copy = malloc(size + 1);
        if (!copy)
                return -ENOMEM;
        if (size > 0)
                memcpy(copy, data, size);
        return index_file_take(ret, name, copy, size, problems);
}

IndexFile *index_file_free(IndexFile *f) {
        if (!f)
                return NULL;

        free(f->name);
        if (f->data_is == MAPPED)
                (void) munmap(f->data, f->size);
        else if (f->data_is == OWNED)
                free(f->data);
        free(f);
        return NULL;
}

/**
 * index_file_map() - map the file, for a process that looks up a few keys and ends
 *
 * Only the header is checked; searches check what they visit. Somebody's truncate(2) causes a SIGBUS, as
 * with libkmod.
 *
 * Return: 0; -ENOENT; -EBADMSG: it is no index; other errors of open(2) and mmap(2); -ENOMEM.
 */
int index_file_map(IndexFile **ret, const char *path) {
        _cleanup_(index_file_freep) IndexFile *f = NULL;
        _cleanup_(closep) int fd = -EBADF;
        Walk w = {};
        struct stat st;
        void *data;
        int r;

        assert(ret && path);

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || st.st_size < (off_t) INDEX_HEADER_SIZE || st.st_size > (off_t) FILE_MAX)
                return -EBADMSG;

        f = calloc(1, sizeof(*f));
        if (!f)
                return -ENOMEM;
        data = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED)
                return -errno;
        f->data = data;
        f->size = (size_t) st.st_size;
        f->data_is = MAPPED;
        r = walk_header(&w, f);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(f);
        return 0;
}

/**
 * index_file_borrow() - the same from memory that somebody else keeps, as long as the object is there
 *
 * Return: 0; -EBADMSG: it is no index; -ENOMEM.
 */
int index_file_borrow(IndexFile **ret, const void *data, size_t size) {
        _cleanup_(index_file_freep) IndexFile *f = NULL;
        Walk w = {};
        int r;

        assert(ret && data);

        f = calloc(1, sizeof(*f));
        if (!f)
                return -ENOMEM;
        f->data = (uint8_t *) data;
        f->size = size;
        f->data_is = BORROWED;
        r = size > FILE_MAX ? -EBADMSG : walk_header(&w, f);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(f);
        return 0;
}

/**
 * index_file_foreach() - call a function for every value of every key
 * @entry: called in the order of the bytes of the keys, and for the values of a key in the order of the
 *         file; a negative return ends it
 *
 * Return: 0; what @entry returned; -ENOMEM.
 */
int index_file_foreach(const IndexFile *f, index_file_entry_t entry, void *userdata) {
        _cleanup_(walk_done) Walk w = { .file = f, .entry = entry, .userdata = userdata };

        assert(f && entry);

        return walk_run(&w, f->root);
}

/* Finds the node where a key ends. */
static int find_node(const IndexFile *f, const char *key, Node *ret) {
        uint32_t offset = f->root;

        for (;;) {
                const char *problem;
                uint8_t label;
                Node n;

                problem = node_parse(f, offset, &n);
                if (problem)
                        return -EBADMSG;        /* only in a file that was not checked */

                if (strncmp(key, n.prefix, n.prefix_length) != 0)
                        return -ENOENT;
                key += n.prefix_length;
                if (*key == 0) {
                        *ret = n;
                        return n.n_values > 0 ? 0 : -ENOENT;
                }

                label = (uint8_t) *key++;
                if (label < n.first || label - n.first >= (int) n.n_children)
                        return -ENOENT;
                offset = read_u32(n.children + (label - n.first) * sizeof(uint32_t));
                if (offset == 0)
                        return -ENOENT;
        }
}

/**
 * index_file_search() - look up one key, without wildcards
 * @ret_value: its first value, borrowed from @f
 *
 * Return: 0; -ENOENT.
 */
int index_file_search(const IndexFile *f, const char *key, const char **ret_value) {
        Node n;
        int r;

        assert(f && key && ret_value);

        r = find_node(f, key, &n);
        if (r < 0)
                return r;
        *ret_value = (const char *) n.values + sizeof(uint32_t);
        return 0;
}

/**
 * index_file_search_all() - look up one key, without wildcards, and call a function for all its values
 * @entry: called in the order of the file; a negative return ends it
 *
 * Return: 0; -ENOENT; what @entry returned.
 */
int index_file_search_all(const IndexFile *f, const char *key, index_file_entry_t entry, void *userdata) {
        Node n;
        int r;

        assert(f && key && entry);

        r = find_node(f, key, &n);
        if (r < 0)
                return r;
        return values_foreach(&n, key, entry, userdata);
}

/* ------------------------------------------------------------------------------------------- wildcards */

typedef struct WildSearch {
        const char *key;                /* what is left of it */
        size_t skip;                    /* bytes of the pattern that were compared already */
        index_file_entry_t entry;
        void *userdata;
} WildSearch;

static int on_pattern(const char *pattern, const char *value, uint32_t priority, void *userdata) {
        const WildSearch *s = userdata;

        return glob_match(pattern + s->skip, s->key) ? s->entry(pattern, value, priority, s->userdata) : 0;
}

/* Tries all patterns below a node, whose first bytes match. @label: of the edge to the node; 0: none. */
static int search_below(const IndexFile *f, uint32_t offset, char label, const WildSearch *s) {
        _cleanup_(walk_done) Walk w = { .file = f, .entry = on_pattern, .last = true, .userdata = (void *) s };
        int r = label ? walk_append(&w, 0, &label, 1) : 0;

        return r < 0 ? r : walk_run(&w, offset);
}

/* Return: the offset of the child for this byte; 0: there is none. */
static uint32_t child_of(const Node *n, uint8_t label) {
        if (label < n->first || label - n->first >= (int) n->n_children)
                return 0;
        return read_u32(n->children + (label - n->first) * sizeof(uint32_t));
}

static int search_wild_children(const IndexFile *f, const Node *n, WildSearch *s) {
        static const char wildcards[] = { '*', '?', '[' };

        for (size_t i = 0; i < ARRAY_LEN(wildcards); i++) {
                uint32_t offset = child_of(n, (uint8_t) wildcards[i]);
                int r = offset ? search_below(f, offset, wildcards[i], s) : 0;

                if (r < 0)
                        return r;
        }
        return 0;
}

/**
 * index_file_search_wild() - look up one key in a file whose keys are patterns, as for fnmatch(3)
 * @entry: called in the order of libkmod's index_mm_searchwild(), with a part of the pattern; a negative
 *         return ends the search
 *
 * A key that has wildcards itself may find a pattern twice: as a pattern, and by its bytes.
 *
 * Return: 0; -EBADMSG: the file is broken; what @entry returned; -ENOMEM.
 */
int index_file_search_wild(const IndexFile *f, const char *key, index_file_entry_t entry, void *userdata) {
        WildSearch s = { .key = key, .entry = entry, .userdata = userdata };
        uint32_t offset = f->root;

        assert(f && key && entry);

        while (offset != 0) {
                Node n;
                int r;

                if (node_parse(f, offset, &n))
                        return -EBADMSG;
                for (size_t j = 0; j < n.prefix_length; j++, s.key++) {
                        if (strchr("*?[", n.prefix[j])) {
                                s.skip = j;
                                return search_below(f, offset, 0, &s);
                        }
                        if (n.prefix[j] != *s.key)
                                return 0;
                }
                r = search_wild_children(f, &n, &s);
                if (r < 0)
                        return r;
                if (*s.key == '\0')
                        return n.n_values > 0 ? values_foreach(&n, key, entry, userdata) : 0;
                offset = child_of(&n, (uint8_t) *s.key++);
        }
        return 0;
}

/**
 * index_file_count() - number of values of all keys
 */
size_t index_file_count(const IndexFile *f) {
        assert(f);

        return f->n_values;
}

/* The bytes of the file, for index_file_borrow(). */
const void *index_file_get_data(const IndexFile *f, size_t *ret_size) {
        assert(f && ret_size);

        *ret_size = f->size;
        return f->data;
}
