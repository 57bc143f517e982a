// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What an init can find out about whoever loads it, into /proc/lkmd_test_sees: a line each. What differs between
 * any two processes (numbers, names, times) is left out.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/un.h>
#include <linux/utsname.h>
#include <net/net_namespace.h>
#include <net/sock.h>

static char *text;
static size_t n_text;
#define TEXT_SIZE (256 * 1024)

static __printf(1, 2) void say(const char *format, ...) {
        va_list args;

        va_start(args, format);
        n_text += vscnprintf(text + n_text, TEXT_SIZE - n_text, format, args);
        va_end(args);
}

/* The file, or its lines that begin with one of the names. */
static void say_file(const char *path, const char *const *names) {
        char *content = kzalloc(65536, GFP_KERNEL), *rest = content, *line;
        struct file *f = filp_open(path, O_RDONLY, 0);
        loff_t at = 0;

        if (IS_ERR(f) || !content) {
                say("%s: error %ld\n", path, PTR_ERR(f));
                kfree(content);
                return;
        }
        while (at < 65000 && kernel_read(f, content + at, 65000 - at, &at) > 0)
                ;
        filp_close(f, NULL);
        while ((line = strsep(&rest, "\n")) && (*line || rest)) {
                bool wanted = !names;

                for (int i = 0; names && names[i]; i++)
                        wanted |= strncmp(line, names[i], strlen(names[i])) == 0;
                if (wanted)
                        say("%s: %s\n", path, line);
        }
        kfree(content);
}

static void say_capabilities(void) {
        for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
                say("capable(%d): %d\n", cap, capable(cap));
}

static void say_paths(void) {
        char buffer[256];
        struct path root, pwd;

        get_fs_root(current->fs, &root);
        get_fs_pwd(current->fs, &pwd);
        say("root: %s\ncwd: %s\n", d_path(&root, buffer, sizeof(buffer)),
            d_path(&pwd, buffer, sizeof(buffer)));
        path_put(&root);
        path_put(&pwd);
        say("umask: %o\n", current_umask());
}

/* The things that inits have been seen to do: qrtr binds a socket, others open and write files. */
static void say_deeds(void) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(7) };
        struct socket *s;
        struct file *f;
        int r;

        r = sock_create(AF_INET, SOCK_DGRAM, 0, &s);
        say("socket: %d\n", r);
        if (r == 0) {
                say("bind below 1024: %d\n", kernel_bind(s, (struct sockaddr *) &address, sizeof(address)));
                sock_release(s);
        }
        f = filp_open("/run/lkmd_test_sees", O_WRONLY | O_CREAT | O_EXCL, 0666);
        say("new file: %ld, mode %o\n", IS_ERR(f) ? PTR_ERR(f) : 0,
            IS_ERR(f) ? 0 : file_inode(f)->i_mode & 0777);
        if (!IS_ERR(f))
                filp_close(f, NULL);
        for (int i = 0; i < 2; i++) {
                const char *path = i ? "/dev/kmsg" : "/dev/null";

                f = filp_open(path, O_RDWR, 0);
                say("%s: %ld\n", path, IS_ERR(f) ? PTR_ERR(f) : 0);
                if (!IS_ERR(f))
                        filp_close(f, NULL);
        }
}

static int show(struct seq_file *m, void *v) {
        seq_write(m, text, n_text);
        return 0;
}

static int __init sees_init(void) {
        static const char *const status[] = {
                "Umask:",        "Uid:",          "Gid:",         "Cap",          "NoNewPrivs:",
                "Cpus_allowed:", "Mems_allowed:", "CoreDumping:", "THP_enabled:", NULL
        };
        const struct cred *cred = current_cred();

        text = kvzalloc(TEXT_SIZE, GFP_KERNEL);
        if (!text)
                return -ENOMEM;
        say_capabilities();
        say("securebits: %x\n", cred->securebits);
        say("user namespace: %u\n", cred->user_ns->ns.inum);
        say("uts: %u net: %u\n", current->nsproxy->uts_ns->ns.inum, current->nsproxy->net_ns->ns.inum);
        say("policy %u nice %d flags %lx\n", current->policy, task_nice(current),
            (unsigned long) current->flags & (PF_KTHREAD | PF_MEMALLOC | PF_LOCAL_THROTTLE));
        say_paths();
        say_file("/proc/thread-self/status", status);
        say_file("/proc/thread-self/limits", NULL);
        say_file("/proc/thread-self/mountinfo", NULL);
        say_file("/proc/thread-self/oom_score_adj", NULL);
        say_file("/proc/thread-self/personality", NULL);
        say_file("/proc/thread-self/attr/current", NULL);
        say_file("/proc/thread-self/timerslack_ns", NULL);
        say_deeds();
        if (!proc_create_single("lkmd_test_sees", 0444, NULL, show)) {
                kvfree(text);
                return -ENOMEM;
        }
        return 0;
}

static void __exit sees_exit(void) {
        remove_proc_entry("lkmd_test_sees", NULL);
        kvfree(text);
}

module_init(sees_init);
module_exit(sees_exit);
MODULE_DESCRIPTION("lkmd test: what an init sees of whoever loads it");
MODULE_LICENSE("GPL");
