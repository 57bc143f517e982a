/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <errno.h>
#include <signal.h>

#include "common/base/util.h"
#include "common/explain/error-text.h"

typedef int (*error_text_t)(const char *module, int error, const char *const *kernel_log, size_t n,
                            char **ret_message, char **ret_hint);

static int insert_on_debian(const char *module, int error, const char *const *kernel_log, size_t n,
                            char **ret_message, char **ret_hint) {
        return error_text_insert(module, error, kernel_log, n, DISTRIBUTION_DEBIAN, ret_message, ret_hint);
}

typedef struct Case {
        int error;
        const char *log[8];             /* NULL-terminated */
        const char *message;
        const char *hint;               /* a part of it */
} Case;

/* The lines are what kernel 6.12 writes. */
static const Case insert_cases[] = {
        { ENOENT,
          { "snd_x: Unknown symbol snd_card_new (err -2)" },
          "snd_x needs snd_card_new, which neither this kernel nor a loaded module offers to it",
          "depmod -a" },
        { ENOENT,
          { "snd_x: Unknown symbol a (err -2)", "snd_x: Unknown symbol b (err -2)",
            "snd_x: Unknown symbol a (err -2)" },
          "snd_x needs a and b, which neither this kernel nor a loaded module offers to it",
          "vermagic snd_x" },
        { ENOENT,
          { "snd_x: Unknown symbol a (err -2)", "snd_x: Unknown symbol b (err -2)",
            "snd_x: Unknown symbol c (err -2)", "snd_x: Unknown symbol d (err -2)", "something else",
            "snd_x: Unknown symbol e (err -2)", "snd_x: Unknown symbol f (err -2)" },
          "snd_x needs a, b, c, d and 2 more, which neither this kernel nor a loaded module offers to it",
          "uname -r" },
        { EINVAL,
          { "snd_x: disagrees about version of symbol module_layout" },
          "snd_x was built for another kernel: it disagrees about the version of module_layout",
          "vermagic snd_x" },
        { EINVAL,
          { "snd_x: Unknown symbol a (err -22)", "snd_x: disagrees about version of symbol a" },
          "snd_x was built for another kernel: it disagrees about the version of a",
          "dkms autoinstall" },
        { ENOEXEC,
          { "snd_x: version magic '6.1.0-18-amd64 SMP preempt mod_unload modversions ' should be "
            "'6.12.107+deb13-amd64 SMP preempt mod_unload modversions '" },
          "snd_x was built for kernel '6.1.0-18-amd64 SMP preempt mod_unload modversions', "
          "this one is '6.12.107+deb13-amd64 SMP preempt mod_unload modversions'",
          "or reboot into the kernel 6.1.0-18-amd64" },
        { ENOEXEC,
          { "module snd_x: .gnu.linkonce.this_module section size must match the kernel's built struct "
            "module "
            "size at run time" },
          "snd_x was built against another configuration of this kernel",
          "linux-headers-$(uname -r)" },
        { ENOEXEC,
          { "Invalid architecture in ELF header: 183" },
          "snd_x was built for another processor architecture",
          "uname -m" },
        { ENOEXEC,
          { "snd_x: exports duplicate symbol foo (owned by snd_y)" },
          "snd_x and snd_y exclude each other: both export foo",
          "lkmctl unload snd_y" },
        { ENOEXEC,
          { "Invalid ELF header magic: != \x7f"
            "ELF" },
          "the file of snd_x is no module for this kernel: damaged, cut off or built for another one",
          "reinstall" },
        { ENOEXEC,
          {},
          "the file of snd_x is no module for this kernel: damaged, cut off or built for another one",
          "modinfo snd_x" },
        { EINVAL,
          { "snd_x: module uses symbol (foo) from namespace BAR, but does not import it." },
          "snd_x uses foo of the symbol namespace BAR without importing it",
          "bug of snd_x" },
        { ENOENT,
          { "snd_x: module using GPL-only symbols uses symbols foo from proprietary module nvidia." },
          "snd_x may not use GPL-only symbols together with foo of the proprietary module nvidia",
          "license" },
        { EBUSY,
          { "snd_x: gave up waiting for init of module snd_y." },
          "snd_x needs snd_y, which is still starting and did not get ready in time",
          "lkmctl status snd_y" },
        { EKEYREJECTED,
          { "Loading of unsigned module is rejected" },
          "snd_x has no signature, and this kernel takes signed modules only",
          "mokutil" },
        { EKEYREJECTED,
          { "Loading of module with unavailable key is rejected" },
          "snd_x is signed with a key that this kernel does not know",
          "modinfo -F signer snd_x" },
        { EKEYREJECTED,
          { "Loading of module with unsupported crypto is rejected" },
          "snd_x is signed in a way that this kernel cannot check",
          "sig_hashalgo" },
        { EKEYREJECTED,
          {},
          "the signature of snd_x is not one of this file by a key that this kernel trusts",
          "mokutil" },
        { ENOKEY,
          {},
          "snd_x is signed with a key that this kernel does not know, or not signed at all",
          "signer" },
        { EPERM,
          { "Lockdown: lkmd-loader: unsigned module loading is restricted; see man kernel_lockdown.7" },
          "the kernel is locked down, and snd_x is not signed with a key that it trusts",
          "lockdown" },
        { EPERM,
          { "Module snd_x is blacklisted" },
          "the kernel command line forbids snd_x (module_blacklist=)",
          "/proc/cmdline" },
        { EPERM,
          {},
          "the kernel takes no modules at all, or a security policy keeps snd_x out",
          "only a reboot helps" },
        { EACCES, {}, "a security policy (SELinux, AppArmor, IMA) keeps snd_x out", "journalctl" },
        { EBADMSG,
          {},
          "the file of snd_x is damaged: its signature or its compression is broken",
          "reinstall" },
        { EINVAL,
          { "decompression failed with status 7" },
          "the file of snd_x is damaged: it cannot be decompressed",
          "reinstall" },
        { EINVAL,
          { "snd_x: `many' invalid for parameter `count'" },
          "snd_x does not accept 'many' for its parameter count",
          "modinfo -p snd_x" },
        { EINVAL,
          { "snd_x: `' invalid for parameter `count'" },
          "snd_x does not accept '' for its parameter count",
          "modinfo -p snd_x" },
        { ENOSPC,
          { "snd_x: `xxxxxxxx' too large for parameter `name'" },
          "the value 'xxxxxxxx' is too long for the parameter name of snd_x",
          "modinfo -p snd_x" },
        { ENOENT, { "snd_x: Unknown parameter `foo'" }, "snd_x has no parameter foo", "modinfo -p snd_x" },
        { EINVAL,
          { "index: can only take 32 arguments" },
          "a parameter of snd_x takes at most 32 values",
          "modinfo" },
        { EINVAL,
          {},
          "snd_x refused to start (these parameters, this kernel or this machine), or its file is empty",
          "modinfo -p" },
        { EINVAL,
          { "snd_x: unknown parameter 'foo' ignored" },
          "snd_x refused to start (these parameters, this kernel or this machine), or its file is empty",
          "modinfo -p" },
        { ENOENT,
          { "snd_x 0000:00:01.0: Direct firmware load for snd/x.bin failed with error -2" },
          "snd_x did not get its firmware snd/x.bin",
          "apt-file search snd/x.bin" },
        { ENOENT,
          {},
          "snd_x did not find something it needs: a symbol, its firmware or a device",
          "journalctl -k -b -g snd_x" },
        { ENODEV, {}, "snd_x found no device that it could drive", "lspci" },
        { ENXIO, {}, "snd_x found no device that it could drive", "lsusb" },
        { EBUSY, {}, "another driver has what snd_x wants (a device, a number, a memory range)", "lspci" },
        { EEXIST,
          {},
          "snd_x was not loaded: its init says that what it registers is there already (File exists)",
          "something else has registered it" },
        { EBUSY,
          { "snd_x: init suspiciously returned -EEXIST: Overriding with -EBUSY" },
          "snd_x was not loaded: its init says that what it registers is there already (File exists)",
          "snd_x is not needed" },
        { ENOMEM, {}, "there was not enough memory for snd_x", "free -h" },
        { ENOMEM,
          { "snd_x: Could not allocate 4096 bytes percpu data" },
          "there is no room for 4096 bytes of per-CPU data of snd_x",
          "percpu_alloc" },
        { ETIMEDOUT, {}, "the hardware of snd_x did not answer in time", "journalctl" },
        { ECONNRESET,
          {},
          "lkmd-loader ended before it was known whether snd_x got in",
          "lkmctl status snd_x" },
        { ENOTTY, {}, "the kernel did not take snd_x: Inappropriate ioctl for device", "journalctl" },
        { 4095, {}, "the kernel did not take snd_x: unknown error", "journalctl" },
        { 0, {}, "the kernel did not take snd_x: Success", "journalctl" },
        { -ENODEV, {}, "snd_x found no device that it could drive", "lspci" },
        /* Of another module that failed at the same moment. */
        { ENODEV,
          { "Loading of unsigned module is rejected", "Invalid architecture in ELF header: 183" },
          "snd_x found no device that it could drive",
          "lspci" },
        /* Lines that only begin like one that is known, and bytes. */
        { ENODEV,
          { "Unknown symbol", "`' invalid", "version magic '", "", "%s", "\xff\xfe" },
          "snd_x found no device that it could drive",
          "lspci" },
        { ENOENT,
          { "snd_x: Unknown symbol \xff\x1b[2J (err -2)" },
          "snd_x needs \\xff\\x1b[2J, which neither this kernel nor a loaded module offers to it",
          "depmod" },
};

static const Case remove_cases[] = {
        { EAGAIN, {}, "snd_x is in use", "lkmctl status snd_x" },
        { EWOULDBLOCK, {}, "snd_x is in use", "says by whom" },
        { EBUSY,
          {},
          "snd_x cannot be removed: it has no way out (permanent), or is starting or going right now",
          "/sys/module/snd_x/initstate" },
        { ENOENT, {}, "snd_x is not in the kernel", "lkmctl list" },
        { EPERM, {}, "the kernel lets no module go: kernel.modules_disabled is set", "only a reboot helps" },
        { ENOSYS, {}, "this kernel was built without the removal of modules", "CONFIG_MODULE_UNLOAD" },
        { ETIMEDOUT, {}, "snd_x is still on its way out", "lkmctl status snd_x" },
        { ECONNRESET, {}, "lkmd-loader ended before it was known whether snd_x is out", "lkmd-loader" },
        { EIO, {}, "the kernel did not let snd_x go: Input/output error", "journalctl" },
};

static void run(error_text_t function, const Case *cases, size_t n) {
        for (size_t i = 0; i < n; i++) {
                _cleanup_(freep) char *message = NULL, *hint = NULL;
                size_t n_log = 0;

                while (cases[i].log[n_log])
                        n_log++;
                assert_ok(function("snd_x", cases[i].error, cases[i].log, n_log, &message, &hint));
                assert_string_equal(message, cases[i].message);
                if (!hint || !strstr(hint, cases[i].hint))
                        fail_msg("%s: '%s' does not advise '%s'", message, hint ?: "", cases[i].hint);
        }
}

static void test_insert(void **state) {
        run(insert_on_debian, insert_cases, ARRAY_LEN(insert_cases));
}

static void test_remove(void **state) {
        run(error_text_remove, remove_cases, ARRAY_LEN(remove_cases));
}

/* Whatever the number: a sentence without a full stop and without a place that was not filled. */
static void test_every_errno(void **state) {
        static const error_text_t functions[] = { insert_on_debian, error_text_remove };

        for (size_t i = 0; i < ARRAY_LEN(functions); i++)
                for (int error = -5000; error <= 5000; error++) {
                        _cleanup_(freep) char *message = NULL, *hint = NULL;

                        assert_ok(functions[i]("snd_x", error, NULL, 0, &message, &hint));
                        assert_non_null(strstr(message, "snd_x") ?: strstr(message, "kernel"));
                        assert_true(message[strlen(message) - 1] != '.');
                        assert_null(strpbrk(message, "{}%"));
                        assert_null(strpbrk(hint, "{}%"));
                }
}

/* The same failure, with the tool of each distribution, and without a place that was not filled. */
static void test_distributions(void **state) {
        static const char *const log[] = { "snd_x: Direct firmware load for a/b.bin failed with error -2" };
        static const struct {
                Distribution distribution;
                const char *firmware, *damaged, *unsigned_;
        } cases[] = {
                { DISTRIBUTION_UNKNOWN, "a/b.bin in /lib/firmware", "the modules of the kernel", "scripts/sign-file" },
                { DISTRIBUTION_DEBIAN, "apt install firmware-linux; apt-file search a/b.bin",
                  "apt install --reinstall linux-image-", "kmodsign" },
                { DISTRIBUTION_UBUNTU, "apt install linux-firmware",
                  "apt install --reinstall linux-modules-", "kmodsign" },
                { DISTRIBUTION_FEDORA, "dnf provides '*/a/b.bin*'",
                  "dnf reinstall $(rpm -qf $(modinfo -n snd_x))", "scripts/sign-file" },
                { DISTRIBUTION_SUSE, "zypper install kernel-firmware-all", "zypper install --force",
                  "scripts/sign-file" },
                { DISTRIBUTION_ARCH, "pacman -Fyx a/b.bin", "pacman -S $(pacman -Qqo $(modinfo -n snd_x))",
                  "scripts/sign-file" },
        };
        static const char *const unsigned_log[] = { "Loading of unsigned module is rejected" };

        assert_int_equal(ARRAY_LEN(cases), _DISTRIBUTION_MAX);
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                const struct {
                        int error;
                        const char *const *log;
                        size_t n_log;
                        const char *hint;
                } failures[] = {
                        { ENOENT, log, 1, cases[i].firmware },
                        { EBADMSG, NULL, 0, cases[i].damaged },
                        { EKEYREJECTED, unsigned_log, 1, cases[i].unsigned_ },
                };

                for (size_t k = 0; k < ARRAY_LEN(failures); k++) {
                        _cleanup_(freep) char *message = NULL, *hint = NULL;

                        assert_ok(error_text_insert("snd_x", failures[k].error, failures[k].log,
                                                    failures[k].n_log, cases[i].distribution, &message,
                                                    &hint));
                        if (!strstr(hint, failures[k].hint) || strpbrk(hint, "{}"))
                                fail_msg("%s: '%s' does not advise '%s'", message, hint, failures[k].hint);
                }
        }
}

static void test_long_log(void **state) {
        _cleanup_(freep) char *message = NULL, *hint = NULL, *line = malloc(100000);
        const char *log[64];

        assert_non_null(line);
        memset(line, 'x', 99999);
        memcpy(line, "Unknown symbol ", 15);
        strcpy(line + 99990, " (err -2)");
        for (size_t i = 0; i < ARRAY_LEN(log); i++)
                log[i] = line;
        assert_ok(insert_on_debian("snd_x", ENOENT, log, ARRAY_LEN(log), &message, &hint));
        assert_true(strlen(message) < 300);
}

static void test_command(void **state) {
        static const char many[] = "one\ntwo\n\nthree\r\nfour\n", three[] = "two / three / four";
        static const struct {
                CommandEnding ending;
                const char *message;
        } cases[] = {
                { { false, NULL, 0, 1 << 8, NULL },
                  "snd_x is kept out by its install command, which ended with status 1" },
                { { false, "/f", 3, 255 << 8, "" },
                  "snd_x is kept out by its install command (/f:3), which ended with status 255" },
                { { false, "/f", 3, 1 << 8, " \n\n" },
                  "snd_x is kept out by its install command (/f:3), which ended with status 1" },
                { { false, "/f", 3, 1 << 8, "not here\n" },
                  "snd_x is kept out by its install command (/f:3), which ended with status 1: not here" },
                { { false, "/f", 3, 1 << 8, "not\nhere" },
                  "snd_x is kept out by its install command (/f:3), which ended with status 1: not / here" },
                { { false, "/f", 0, 127 << 8, "sh: 1: /bin/false1: not found\n" },
                  "the install command of snd_x (/f) names a program that is not there: sh: 1: /bin/false1: not found" },
                { { false, NULL, 0, 126 << 8, NULL },
                  "the install command of snd_x names a program that cannot be run" },
                { { false, NULL, 0, SIGSEGV, NULL },
                  "the install command of snd_x was killed by signal 11 (SIGSEGV)" },
                { { false, NULL, 0, SIGKILL, "x" },
                  "the install command of snd_x was killed by signal 9 (SIGKILL): x" },
                { { false, NULL, 0, 64, NULL },
                  "the install command of snd_x was killed by signal 64 (unknown)" },
                { { true, "/f", 9, 2 << 8, "busy" },
                  "the remove command of snd_x (/f:9) failed with status 2: busy" },
        };
        _cleanup_(freep) char *message = NULL, *hint = NULL;

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(freep) char *m = NULL, *h = NULL;

                assert_ok(error_text_command("snd_x", &cases[i].ending, &m, &h));
                assert_string_equal(m, cases[i].message);
                assert_non_null(strstr(h, cases[i].ending.removes ? "'remove snd_x'" : "'install snd_x'"));
        }

        assert_ok(error_text_command("a", &(CommandEnding) { .wait_status = 1 << 8, .output = many },
                                     &message, &hint));
        assert_non_null(strstr(message, three));
        assert_null(strstr(message, "one"));
}

/* A command may write anything, in lines of any length. */
static void test_output_of_commands(void **state) {
        char output[1024];

        for (unsigned seed = 0; seed < 2000; seed++) {
                _cleanup_(freep) char *message = NULL, *hint = NULL;
                size_t n = seed % sizeof(output);

                srandom(seed);
                for (size_t i = 0; i < n; i++)
                        output[i] = "ab \n\r\xc3\xa4\x1b%"[random() % 9];
                output[n] = '\0';
                assert_ok(error_text_command("snd_x",
                                             &(CommandEnding) { .wait_status = 1 << 8, .output = output },
                                             &message, &hint));
                assert_true(strlen(message) < 500);
                assert_null(strpbrk(message, "\n\r"));
        }

        (void) memset(output, 'x', sizeof(output) - 1);
        output[sizeof(output) - 1] = '\0';
        for (size_t i = 0; i + 2 < sizeof(output); i += 2)
                (void) memcpy(output + i, "\xc3\xa4", 2);
        {
                _cleanup_(freep) char *message = NULL, *hint = NULL;

                assert_ok(error_text_command("snd_x",
                                             &(CommandEnding) { .wait_status = 1 << 8, .output = output },
                                             &message, &hint));
                assert_non_null(strstr(message, "status 1: ...\xc3\xa4"));
        }
}

static void test_lost_commands(void **state) {
        static const struct {
                CommandEnding ending;
                int error;
                const char *message, *hint;
        } cases[] = {
                { { .file = "/etc/modprobe.d/a.conf", .line = 3 },
                  -ECONNRESET,
                  "lkmd-command ended before it was known how the install command of x (/etc/modprobe.d/a.conf:3) ended",
                  "lkmctl status x" },
                { { .file = "/etc/modprobe.d/a.conf", .removes = true },
                  ENOTCONN,
                  "the remove command of x (/etc/modprobe.d/a.conf) was not run: lkmd-command did not start",
                  "journalctl -b -u 'lkmd-command@*'" },
                { { .file = "/a", .line = 1 },
                  -EPROTO,
                  "the install command of x (/a:1) was not run: lkmd-command is of another version than lkmd",
                  "systemctl restart lkmd" },
                { {},
                  -ENOENT,
                  "x was not tried: lkmd-command cannot be reached (No such file or directory)",
                  "systemctl restart lkmd-command.socket" },
                { {}, -ECONNRESET, "lkmd-command ended before it was known whether x got in", "lkmctl status x" },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(freep) char *message = NULL, *hint = NULL;

                assert_ok(error_text_command_lost("x", &cases[i].ending, cases[i].error, &message, &hint));
                assert_non_null(strstr(message, cases[i].message));
                assert_non_null(strstr(hint, cases[i].hint));
        }
}

static void test_refusals(void **state) {
        static const struct {
                int wait_status;
                bool refused;
        } cases[] = {
                { 0, false }, { 1 << 8, true }, { 125 << 8, true }, { 126 << 8, false }, { 127 << 8, false },
                { 128 << 8, true }, { 255 << 8, true }, { SIGTERM, false },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                assert_int_equal(command_refused(cases[i].wait_status), cases[i].refused);
}

static void test_concerns(void **state) {
        static const struct {
                const char *line;
                bool concerns;
        } cases[] = {
                { "snd_x: Unknown symbol a (err -2)", true },
                { "snd-x: Unknown symbol a (err -2)", true },
                { "snd_x 0000:00:01.0: Direct firmware load for x failed with error -2", true },
                { "module snd_x: .gnu.linkonce.this_module section size must match", true },
                { "Module snd_x is blacklisted", true },
                { "Loading of unsigned module is rejected", true },
                { "Lockdown: lkmd-loader: unsigned module loading is restricted; see man kernel_lockdown.7",
                  true },
                { "decompression failed with status 6", true },
                { "snd_xy: Unknown symbol a (err -2)", false },
                { "snd: Unknown symbol a (err -2)", false },
                { "snd_y: snd_x: Unknown symbol a (err -2)", false },
                { "Module snd_y is blacklisted", false },
                { "usb 1-1: new high-speed USB device", false },
                { "snd_x", false },
                { "", false },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                if (error_text_concerns("snd_x", cases[i].line) != cases[i].concerns)
                        fail_msg("%s", cases[i].line);
}

static void test_name(void **state) {
        assert_string_equal(error_name(ENOENT), "ENOENT");
        assert_string_equal(error_name(-EPERM), "EPERM");
        assert_string_equal(error_name(4095), "unknown error");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_insert),
                cmocka_unit_test(test_remove),
                cmocka_unit_test(test_every_errno),
                cmocka_unit_test(test_distributions),
                cmocka_unit_test(test_long_log),
                cmocka_unit_test(test_command),
                cmocka_unit_test(test_output_of_commands),
                cmocka_unit_test(test_lost_commands),
                cmocka_unit_test(test_refusals),
                cmocka_unit_test(test_concerns),
                cmocka_unit_test(test_name),
        };

        return RUN_TESTS(tests);
}
