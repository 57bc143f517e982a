/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Preloaded into modprobe, kmod's or ours: the system calls about modules are carried out on the files below
 * FAKE_KERNEL, and noted in its file "log". Beside /sys/module, which the program sees as "module" there:
 *
 *   needs/NAME          the modules whose symbols it uses, one a line
 *   fails/NAME          the errno of its insertion
 *   stays/NAME          the errno of its removal
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PATH_SIZE 1024

static void __attribute__((__format__(printf, 2, 3))) make_path(char path[PATH_SIZE], const char *format,
                                                                ...) {
        int n = snprintf(path, PATH_SIZE, "%s/", getenv("FAKE_KERNEL") ?: "/nonexistent");
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(path + n, PATH_SIZE - (size_t) n, format, ap);
        va_end(ap);
}

static void __attribute__((__format__(printf, 1, 2))) note(const char *format, ...) {
        char path[PATH_SIZE];
        va_list ap;
        FILE *f;

        make_path(path, "log");
        f = fopen(path, "ae");
        if (!f)
                return;
        va_start(ap, format);
        (void) vfprintf(f, format, ap);
        va_end(ap);
        (void) fclose(f);
}

static int read_number(const char *directory, const char *name, int missing) {
        char path[PATH_SIZE];
        int value = missing;
        FILE *f;

        make_path(path, "%s/%s", directory, name);
        f = fopen(path, "re");
        if (!f)
                return missing;
        if (fscanf(f, "%d", &value) != 1)
                value = missing;
        (void) fclose(f);
        return value;
}

static void write_text(const char *name, const char *file, const char *text) {
        char path[PATH_SIZE];
        FILE *f;

        make_path(path, "module/%s/%s", name, file);
        f = fopen(path, "we");
        if (!f)
                return;
        (void) fprintf(f, "%s\n", text);
        (void) fclose(f);
}

static int is_there(const char *name) {
        char path[PATH_SIZE];

        make_path(path, "module/%s", name);
        return access(path, F_OK) >= 0;
}

/* One user more or less of all that a module needs. Return: 0, or the first that is not there is an error. */
static int use(const char *name, int step) {
        char path[PATH_SIZE], need[256], text[32];
        int r = 0;
        FILE *f;

        make_path(path, "needs/%s", name);
        f = fopen(path, "re");
        while (f && r == 0 && fscanf(f, "%255s", need) == 1) {
                char holder[PATH_SIZE], refs[PATH_SIZE];

                if (!is_there(need)) {
                        r = -ENOENT;    /* an unknown symbol */
                        break;
                }
                if (step == 0)
                        continue;
                (void) snprintf(refs, sizeof(refs), "module/%s", need);
                (void) snprintf(text, sizeof(text), "%d", read_number(refs, "refcnt", 0) + step);
                write_text(need, "refcnt", text);
                make_path(holder, "module/%s/holders/%s", need, name);
                if (step > 0) {
                        make_path(refs, "module/%s", name);
                        (void) !symlink(refs, holder);
                } else
                        (void) unlink(holder);
        }
        if (f)
                (void) fclose(f);
        return r;
}

static int insert(const char *name) {
        char path[PATH_SIZE];
        int error = read_number("fails", name, 0);

        if (error > 0)
                return -error;
        if (is_there(name))
                return -EEXIST;
        if (use(name, 0) < 0)
                return -ENOENT;
        make_path(path, "module/%s", name);
        (void) mkdir(path, 0755);
        make_path(path, "module/%s/holders", name);
        (void) mkdir(path, 0755);
        write_text(name, "initstate", "live");
        write_text(name, "refcnt", "0");
        return use(name, 1);
}

static int delete(const char *name) {
        static const char *const files[] = { "initstate", "refcnt", "taint" };
        char path[PATH_SIZE], directory[PATH_SIZE];
        int error = read_number("stays", name, 0);

        if (error > 0)
                return -error;
        if (!is_there(name))
                return -ENOENT;
        (void) snprintf(directory, sizeof(directory), "module/%s", name);
        if (read_number(directory, "refcnt", 0) > 0)
                return -EWOULDBLOCK;
        (void) use(name, -1);
        for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
                make_path(path, "module/%s/%s", name, files[i]);
                (void) unlink(path);
        }
        make_path(path, "module/%s/holders", name);
        (void) rmdir(path);
        make_path(path, "module/%s", name);
        (void) rmdir(path);
        return 0;
}

/* ------------------------------------------------------------------------------------------- system calls */

static void name_of_path(const char *path, char name[NAME_MAX + 1]) {
        const char *slash = strrchr(path, '/');

        (void) snprintf(name, NAME_MAX + 1, "%s", slash ? slash + 1 : path);
        name[strcspn(name, ".")] = '\0';
        for (char *c = name; *c; c++)
                if (*c == '-')
                        *c = '_';
}

static int on_finit(int fd, const char *parameters, int flags) {
        char name[NAME_MAX + 1], link[64], path[PATH_MAX] = "";
        ssize_t n;

        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, path, sizeof(path) - 1);
        path[n < 0 ? 0 : n] = '\0';
        name_of_path(path, name);
        note("finit %s [%s] flags %d\n", name, parameters, flags);
        return insert(name);
}

static int on_init(const char *image, size_t size, const char *parameters) {
        static const char key[] = "name=";
        char name[NAME_MAX + 1] = "";
        const char *found = memmem(image, size, key, sizeof(key) - 1);

        if (found)
                (void) snprintf(name, sizeof(name), "%.*s", (int) strnlen(found + 5, NAME_MAX), found + 5);
        note("init %s [%s] %zu bytes\n", name, parameters, size);
        return insert(name);
}

static int on_delete(const char *name, unsigned flags) {
        note("delete %s flags %s%s\n", name, flags & O_NONBLOCK ? "n" : "", flags & O_TRUNC ? "t" : "");
        return delete (name);
}

static long finish(int result) {
        if (result >= 0)
                return result;
        errno = -result;
        return -1;
}

long syscall(long number, ...) {
        static long (*real)(long number, ...);
        long a[6];
        va_list ap;

        va_start(ap, number);
        for (size_t i = 0; i < 6; i++)
                a[i] = va_arg(ap, long);
        va_end(ap);
        if (number == SYS_finit_module)
                return finish(on_finit((int) a[0], (const char *) a[1], (int) a[2]));
        if (number == SYS_init_module)
                return finish(on_init((const char *) a[0], (size_t) a[1], (const char *) a[2]));
        if (number == SYS_delete_module)
                return finish(on_delete((const char *) a[0], (unsigned) a[1]));
        if (!real)
                *(void **) &real = dlsym(RTLD_NEXT, "syscall");
        return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

long init_module(const void *image, unsigned long size, const char *parameters);
long init_module(const void *image, unsigned long size, const char *parameters) {
        return finish(on_init(image, size, parameters));
}

long delete_module(const char *name, unsigned flags);
long delete_module(const char *name, unsigned flags) {
        return finish(on_delete(name, flags));
}
