// SPDX-License-Identifier: LGPL-2.1-or-later
/* Has the kernel ask for modules: "THREADS NAME" written to the parameter ask, from as many threads at once; and with the
 * parameter init_asks, from its init. What request_module() returned to how many is in the parameter results. */
#include <linux/completion.h>
#include <linux/kmod.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>

#define THREADS_MAX 200

struct asker {
        const char *name;
        struct completion *go, done;
        int result;
};

static DEFINE_MUTEX(lock);
static char results[PAGE_SIZE / 2];

static int on_thread(void *data) {
        struct asker *a = data;

        wait_for_completion(a->go);
        a->result = request_module("%s", a->name);
        complete(&a->done);
        return 0;
}

/* "RESULT COUNT" lines, in the order of the first of each. */
static void note(const struct asker *askers, unsigned int n) {
        int size = 0;

        for (unsigned int i = 0; i < n; i++) {
                unsigned int before = 0, count = 0;

                for (unsigned int k = 0; k < n; k++) {
                        before += k < i && askers[k].result == askers[i].result;
                        count += askers[k].result == askers[i].result;
                }
                if (before == 0)
                        size += scnprintf(results + size, sizeof(results) - size, "%d %u\n",
                                          askers[i].result, count);
        }
}

static int ask(const char *value, const struct kernel_param *kp) {
        struct completion go;
        struct asker *askers;
        unsigned int n, started = 0;
        char name[64];

        if (sscanf(value, "%u %63s", &n, name) != 2 || n == 0 || n > THREADS_MAX)
                return -EINVAL;
        askers = kcalloc(n, sizeof(*askers), GFP_KERNEL);
        if (!askers)
                return -ENOMEM;
        init_completion(&go);
        mutex_lock(&lock);
        for (; started < n; started++) {
                struct asker *a = askers + started;

                *a = (struct asker) { .name = name, .go = &go };
                init_completion(&a->done);
                if (IS_ERR(kthread_run(on_thread, a, "lkmd_ask/%u", started)))
                        break;
        }
        complete_all(&go);
        for (unsigned int i = 0; i < started; i++)
                wait_for_completion(&askers[i].done);
        note(askers, started);
        mutex_unlock(&lock);
        kfree(askers);
        return started == n ? 0 : -EAGAIN;
}

static int read_results(char *buffer, const struct kernel_param *kp) {
        int n;

        mutex_lock(&lock);
        n = scnprintf(buffer, PAGE_SIZE, "%s", results);
        mutex_unlock(&lock);
        return n;
}

static const struct kernel_param_ops ask_ops = { .set = ask }, results_ops = { .get = read_results };
module_param_cb(ask, &ask_ops, NULL, 0200);
module_param_cb(results, &results_ops, NULL, 0444);

static char *init_asks;
module_param(init_asks, charp, 0444);

static int __init lkmd_test_request_init(void) {
        struct asker a = { .name = init_asks };

        if (init_asks) {
                a.result = request_module("%s", init_asks);
                note(&a, 1);
        }
        return 0;
}

static void __exit lkmd_test_request_exit(void) {}

module_init(lkmd_test_request_init);
module_exit(lkmd_test_request_exit);
MODULE_DESCRIPTION("lkmd test: has the kernel ask for modules");
MODULE_LICENSE("GPL");
