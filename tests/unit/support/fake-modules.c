/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A module directory as small as a test wants it, in depmod's own format. */

#include "fake-modules.h"

#include <elf.h>
#include <limits.h>

#define ENTRIES_MAX 512U

static void write_index(const Scratch *s, const char *name, const WriterEntry *entries, size_t n) {
        _cleanup_(freep) uint8_t *data = NULL;
        char path[PATH_MAX];
        size_t size;

        data = index_write(entries, n, &size);
        snprintf(path, sizeof(path), FAKE_DIR "/%s", name);
        scratch_write_bytes(s, path, data, size);
}

static void write_entries(const Scratch *s, const char *name, const WriterEntry *entries) {
        size_t n = 0;

        while (entries && entries[n].key)
                n++;
        write_index(s, name, entries, n);
}

static void put_path(FILE *f, const char *name, size_t n) {
        fputs("kernel/", f);
        for (size_t i = 0; i < n; i++)
                fputc(name[i] == '_' ? '-' : name[i], f);
        fputs(".ko", f);
}

static char *dependency_line(const FakeModule *m) {
        char *line = NULL;
        size_t size;
        FILE *f = open_memstream(&line, &size);

        if (!f)
                abort();
        put_path(f, m->name, strlen(m->name));
        fputc(':', f);
        for (const char *p = m->needs; p && *p; p += strspn(p, " ")) {
                size_t n = strcspn(p, " ");

                fputc(' ', f);
                put_path(f, p, n);
                p += n;
        }
        if (fclose(f) != 0)
                abort();
        return line;
}

/* What every look at a module file wants to see, and no more: no sections, and so neither name nor version. */
static const Elf64_Ehdr module = {
        .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
        .e_type = ET_REL,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_ehsize = sizeof(Elf64_Ehdr),
};

static void write_modules(const Scratch *s, const FakeModule *modules) {
        WriterEntry entries[ENTRIES_MAX];
        size_t n;

        for (n = 0; modules && modules[n].name; n++) {
                char *line = dependency_line(&modules[n]), path[PATH_MAX];

                if (n == ENTRIES_MAX)
                        abort();
                entries[n] = (WriterEntry) { .key = modules[n].name,
                                             .value = line,
                                             .priority = (uint32_t) n };
                snprintf(path, sizeof(path), FAKE_DIR "/%.*s", (int) strcspn(line, ":"), line);
                scratch_write_bytes(s, path, &module, sizeof(module));
        }

        write_index(s, "modules.dep.bin", entries, n);
        for (size_t i = 0; i < n; i++)
                free((char *) entries[i].value);
}

void fake_tree_write(const Scratch *s, const FakeTree *t) {
        WriterEntry builtin[ENTRIES_MAX];
        size_t n;

        for (n = 0; t->builtin && t->builtin[n]; n++)
                builtin[n] = (WriterEntry) { .key = t->builtin[n], .value = "" };

        scratch_mkdir(s, FAKE_DIR);
        write_modules(s, t->modules);
        write_index(s, "modules.builtin.bin", builtin, n);
        write_entries(s, "modules.alias.bin", t->aliases);
        write_entries(s, "modules.builtin.alias.bin", t->builtin_aliases);
        write_entries(s, "modules.symbols.bin", t->symbols);
}
