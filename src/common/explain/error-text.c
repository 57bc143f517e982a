/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ErrorText: why a module could not be loaded or removed, for somebody who has to correct it now. An errno of the
 * kernel's module loader has many possible causes; the lines that the kernel logged say which it was. So each
 * operation has a table: errno and line on the left, sentence and next step on the right; the first row that
 * matches counts. The formats of the lines are those of kernel 6.12 (kernel/module/, kernel/params.c,
 * security/lockdown/). Owns nothing.
 */

#include "common/explain/error-text.h"

#include <assert.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>

#include "common/base/enum-names.h"
#include "common/base/module-name.h"
#include "common/base/text.h"
#include "common/base/util.h"
#include "common/explain/template.h"

#define CAPTURES_MAX 2U
#define NAMES_SHOWN_MAX 4U              /* of a list; the others are counted */

/*
 * @line: a part of a kernel line, in which each %s matches any text (trimmed); NULL: any log.
 * Fields of @message and @hint (template.h): {module}; {reason} of the errno; {1} and {2}, the texts that the
 * first and second %s of @line match; {1st}, the first word of {1}; {all}, {1} of all lines that match. {owner},
 * {reinstall}, {rebuild}, {firmware} and {sign} are hints of the distribution, which are templates as well.
 */
typedef struct ErrorRule {
        int error;                      /* positive; 0: any */
        const char *line;
        const char *message;
        const char *hint;               /* NULL: none */
        bool nameless;                  /* the line does not name the module */
} ErrorRule;

/* lkmd has made sure that it is not the module itself which is there. */
#define INIT_EXISTS \
        "{module} was not loaded: its init says that what it registers is there already (File exists)"
#define INIT_EXISTS_HINT                                                                                       \
        "something else has registered it, another module or the kernel itself: " KERNEL_LOG \
        "; if that does the "                                                                \
        "same, {module} is not needed"
#define KERNEL_LOG "journalctl -k -b -g {module}"

static const ErrorRule insert_rules[] = {
        /*
         * Built for another kernel. The first two come with lines about unknown symbols, which are less specific.
         */
        { 0, "disagrees about version of symbol %s",
          "{module} was built for another kernel: it disagrees about the version of {all}",
          "{rebuild}, or reboot into the kernel that this prints: modinfo -F vermagic {module}" },
        { 0, "gave up waiting for init of module %s.",
          "{module} needs {1}, which is still starting and did not get ready in time",
          "lkmctl status {1}; then load {module} again" },
        { 0, "version magic '%s' should be '%s'", "{module} was built for kernel '{1}', this one is '{2}'",
          "{rebuild}, or reboot into the kernel {1st}" },
        { 0, ".gnu.linkonce.this_module section size must match",
          "{module} was built against another configuration of this kernel", "{rebuild}" },
        { ENOEXEC, "Invalid architecture in ELF header",
          "{module} was built for another processor architecture", "file $(modinfo -n {module}); uname -m",
          true },
        { ENOEXEC, "Invalid module architecture in ELF header",
          "{module} was built for another processor architecture", "file $(modinfo -n {module}); uname -m",
          true },

        /* Symbols. */
        { 0, "module using GPL-only symbols uses symbols %s from proprietary module %s.",
          "{module} may not use GPL-only symbols together with {1} of the proprietary module {2}",
          "modinfo -F license {module} {2}" },
        { 0, "module uses symbol (%s) from namespace %s, but does not import it.",
          "{module} uses {1} of the symbol namespace {2} without importing it",
          "it is a bug of {module}, report it to its authors: modinfo -F author {module}" },
        { 0, "Unknown symbol %s (err",
          "{module} needs {all}, which neither this kernel nor a loaded module offers to it",
          "depmod -a, then load it again; if that fails too, compare modinfo -F vermagic {module} with "
          "uname -r" },
        { 0, "exports duplicate symbol %s (owned by %s)",
          "{module} and {2} exclude each other: both export {1}",
          "lkmctl unload {2}, then load {module} again" },

        /* Trust. */
        { EKEYREJECTED, "Loading of unsigned module is rejected",
          "{module} has no signature, and this kernel takes signed modules only",
          "enrol a key of your own (mokutil --import CERT.der), reboot, and sign it: {sign}", true },
        { EKEYREJECTED, "Loading of module with unavailable key is rejected",
          "{module} is signed with a key that this kernel does not know",
          "modinfo -F signer {module}; then enrol that key: mokutil --import CERT.der, and reboot", true },
        { EKEYREJECTED, "Loading of module with unsupported crypto is rejected",
          "{module} is signed in a way that this kernel cannot check",
          "modinfo -F sig_hashalgo {module}; sign it with sha256 or sha512", true },
        { EKEYREJECTED, "Module hash %s is blacklisted",
          "the hash of {module} is on the kernel's revocation list",
          "install the current version of the package that it came with: {owner}", true },
        { EPERM, "unsigned module loading is restricted",
          "the kernel is locked down, and {module} is not signed with a key that it trusts",
          "cat /sys/kernel/security/lockdown; sign it with an enrolled key (mokutil --list-enrolled)",
          true },
        { EPERM, "Module %s is blacklisted", "the kernel command line forbids {module} (module_blacklist=)",
          "grep -o 'module_blacklist=[^ ]*' /proc/cmdline; take it out of the boot loader's configuration "
          "and reboot" },
        { EKEYREJECTED, NULL,
          "the signature of {module} is not one of this file by a key that this kernel trusts",
          "modinfo -F signer {module}; mokutil --list-enrolled; or {reinstall}" },
        { ENOKEY, NULL, "{module} is signed with a key that this kernel does not know, or not signed at all",
          "modinfo -F signer {module}; mokutil --list-enrolled" },
        { ENOPKG, NULL, "{module} is signed in a way that this kernel cannot check",
          "modinfo -F sig_hashalgo {module}; sign it with sha256 or sha512" },
        { EBADMSG, NULL, "the file of {module} is damaged: its signature or its compression is broken",
          "{reinstall}" },
        { EACCES, NULL, "a security policy (SELinux, AppArmor, IMA) keeps {module} out",
          "journalctl -b -g 'avc:|integrity|denied'" },
        { EPERM, NULL, "the kernel takes no modules at all, or a security policy keeps {module} out",
          "sysctl kernel.modules_disabled (1: only a reboot helps); cat /sys/kernel/security/lockdown" },

        /* Parameters. */
        { 0, "`%s' invalid for parameter `%s'", "{module} does not accept '{1}' for its parameter {2}",
          "modinfo -p {module}" },
        { 0, "`%s' too large for parameter `%s'",
          "the value '{1}' is too long for the parameter {2} of {module}", "modinfo -p {module}" },
        { 0, "Unknown parameter `%s'", "{module} has no parameter {all}", "modinfo -p {module}" },
        { ENOSPC, "string parameter too long", "a parameter of {module} is too long", "modinfo -p {module}",
          true },
        { EINVAL, "can only take %s arguments", "a parameter of {module} takes at most {1} values",
          "modinfo -p {module}", true },
        { EINVAL, "needs at least %s arguments", "a parameter of {module} needs at least {1} values",
          "modinfo -p {module}", true },
        { E2BIG, NULL, "the parameters of {module} are too long for the kernel", "lkmctl plan {module}" },

        /* Its file. */
        { EINVAL, "decompression failed with status %s",
          "the file of {module} is damaged: it cannot be decompressed", "{reinstall}", true },
        { EINVAL, "not an xz compressed module",
          "the file of {module} is damaged: it cannot be decompressed", "{reinstall}", true },
        { ENOEXEC, NULL,
          "the file of {module} is no module for this kernel: damaged, cut off or built for another one",
          "modinfo {module}; {reinstall}" },
        { EOPNOTSUPP, NULL,
          "{module} is not supported on this machine, or compressed in a way that this kernel cannot read",
          KERNEL_LOG },
        { ETXTBSY, NULL, "the file of {module} is being written right now",
          "fuser -v $(modinfo -n {module})" },
        { ELOOP, NULL, "{module} needs itself, or its file is a link that leads nowhere",
          "modinfo -F depends {module}" },
        { EIO, NULL, "{module} could not be read, or its hardware does not answer properly", KERNEL_LOG },

        /* Its start. */
        { 0, "Direct firmware load for %s failed", "{module} did not get its firmware {all}", "{firmware}" },
        { 0, "Could not allocate %s bytes percpu data",
          "there is no room for {1} bytes of per-CPU data of {module}",
          "boot with more of it: percpu_alloc=page on the kernel command line" },
        { ENOENT, NULL, "{module} did not find something it needs: a symbol, its firmware or a device",
          KERNEL_LOG },
        { ENODEV, NULL, "{module} found no device that it could drive", "lspci -nnk; lsusb; " KERNEL_LOG },
        { ENXIO, NULL, "{module} found no device that it could drive", "lspci -nnk; lsusb; " KERNEL_LOG },
        { EBUSY, "init suspiciously returned -EEXIST", INIT_EXISTS, INIT_EXISTS_HINT }, /* since Linux 6.19 */
        { EBUSY, NULL, "another driver has what {module} wants (a device, a number, a memory range)",
          "lspci -nnk; " KERNEL_LOG },
        { EEXIST, NULL, INIT_EXISTS, INIT_EXISTS_HINT },
        { ENOMEM, NULL, "there was not enough memory for {module}", "free -h; " KERNEL_LOG },
        { ENOSPC, NULL, "the kernel ran out of something that {module} needs, or a parameter is too long",
          KERNEL_LOG },
        { ETIMEDOUT, NULL, "the hardware of {module} did not answer in time", KERNEL_LOG },
        { EINVAL, NULL,
          "{module} refused to start (these parameters, this kernel or this machine), or its file is empty",
          "modinfo -p {module}; ls -l $(modinfo -n {module}); " KERNEL_LOG },
        { ENOSYS, NULL, "this kernel cannot load modules, or {module} needs something it was built without",
          "grep -w CONFIG_MODULES /boot/config-$(uname -r)" },
        { ECONNRESET, NULL, "lkmd-loader ended before it was known whether {module} got in",
          "lkmctl status {module}; journalctl -b -u lkmd-loader; systemd starts it again, so try once "
          "more" },
        { 0, NULL, "the kernel did not take {module}: {reason}", KERNEL_LOG },
};

static const ErrorRule remove_rules[] = {
        { EAGAIN, NULL, "{module} is in use",
          "lkmctl status {module} says by whom; fuser, ip link and lsblk help further" },
        { EBUSY, NULL,
          "{module} cannot be removed: it has no way out (permanent), or is starting or going right now",
          "cat /sys/module/{module}/initstate" },
        { ENOENT, NULL, "{module} is not in the kernel", "lkmctl list" },
        { EPERM, NULL, "the kernel lets no module go: kernel.modules_disabled is set",
          "sysctl kernel.modules_disabled (1: only a reboot helps)" },
        { ENOSYS, NULL, "this kernel was built without the removal of modules",
          "grep -w CONFIG_MODULE_UNLOAD /boot/config-$(uname -r)" },
        { ETIMEDOUT, NULL, "{module} is still on its way out", "lkmctl status {module}; " KERNEL_LOG },
        { ECONNRESET, NULL, "lkmd-loader ended before it was known whether {module} is out",
          "lkmctl status {module}; journalctl -b -u lkmd-loader; systemd starts it again, so try once "
          "more" },
        { 0, NULL, "the kernel did not let {module} go: {reason}", KERNEL_LOG },
};

/* ---------------------------------------------------------------------------------------------- matching */

typedef struct Captures {
        char text[CAPTURES_MAX][TEXT_SHOWN_MAX];
} Captures;

static void capture(const char *begin, const char *end, char ret[static TEXT_SHOWN_MAX]) {
        char text[TEXT_SHOWN_MAX];
        size_t length;

        while (begin < end && *begin == ' ')
                begin++;
        while (end > begin && end[-1] == ' ')
                end--;
        length = MIN((size_t) (end - begin), sizeof(text) - 1);
        memcpy(text, begin, length);
        text[length] = '\0';
        text_show(text, ret);
}

/* Whether the line has all literal parts of the pattern, in order. Captures the text between them. */
static bool line_matches(const char *pattern, const char *line, Captures *ret) {
        const char *begin = NULL;       /* of the current capture */
        size_t n = 0;

        for (;;) {
                const char *hole = strstr(pattern, "%s"), *found;
                size_t length = hole ? (size_t) (hole - pattern) : strlen(pattern);

                if (length > 0)
                        found = memmem(line, strlen(line), pattern, length);
                else
                        found = begin ? line + strlen(line) : line;
                if (!found)
                        return false;
                if (begin && n < CAPTURES_MAX)
                        capture(begin, found, ret->text[n++]);
                if (!hole)
                        return true;

                begin = line = found + length;
                pattern = hole + strlen("%s");
        }
}

/* The first row that matches. */
static const ErrorRule *find_rule(const ErrorRule *rules, int error, const char *const *log, size_t n,
                                  Captures *ret) {
        for (;; rules++) {
                if (rules->error != 0 && rules->error != error)
                        continue;
                if (!rules->line)
                        return rules;   /* as has the last row of each table */
                for (size_t i = 0; i < n; i++)
                        if (line_matches(rules->line, log[i], ret))
                                return rules;
        }
}

/* ----------------------------------------------------------------------------------------------- filling */

typedef struct Filling {
        const ErrorRule *rule;
        const char *module;
        int error;
        const Captures *captures;
        const char *const *log;
        size_t n_log;
        Distribution distribution;
} Filling;

static bool captured_before(const Filling *f, size_t i, const char *text) {
        Captures c;

        while (i-- > 0)
                if (line_matches(f->rule->line, f->log[i], &c) && streq(c.text[0], text))
                        return true;
        return false;
}

/* "a", "a and b", "a, b and 7 more" */
static void put_all(const Filling *f, FILE *out) {
        char shown[NAMES_SHOWN_MAX][TEXT_SHOWN_MAX];
        size_t n = 0;
        Captures c;

        for (size_t i = 0; i < f->n_log; i++) {
                if (!line_matches(f->rule->line, f->log[i], &c) || captured_before(f, i, c.text[0]))
                        continue;
                if (n < NAMES_SHOWN_MAX)
                        memcpy(shown[n], c.text[0], sizeof(shown[n]));
                n++;
        }

        for (size_t i = 0; i < MIN(n, (size_t) NAMES_SHOWN_MAX); i++)
                fprintf(out, "%s%s", i == 0 ? "" : i + 1 == n ? " and " : ", ", shown[i]);
        if (n > NAMES_SHOWN_MAX)
                fprintf(out, " and %zu more", n - NAMES_SHOWN_MAX);
}

/* Return: _PACKAGE_TASK_INVALID: it is another field. */
static PackageTask field_task(const char *field) {
        static const char *const names[_PACKAGE_TASK_MAX] = {
                [PACKAGE_OWNER] = "owner",       [PACKAGE_REINSTALL] = "reinstall", [PACKAGE_REBUILD] = "rebuild",
                [PACKAGE_FIRMWARE] = "firmware", [PACKAGE_SIGN] = "sign",
        };

        return (PackageTask) ENUM_VALUE(names, field);
}

static void put_field(FILE *out, const char *field, const void *userdata) {
        const Filling *f = userdata;
        const char *first = f->captures->text[0];
        PackageTask task = field_task(field);

        if (task >= 0)
                template_print(out, distribution_hint(f->distribution, task), put_field, f);
        else if (field[1] == '\0')
                fputs(f->captures->text[field[0] - '1'], out);
        else if (streq(field, "1st"))
                fprintf(out, "%.*s", (int) strcspn(first, " "), first);
        else if (streq(field, "all"))
                put_all(f, out);
        else if (streq(field, "module"))
                fputs(f->module, out);
        else
                fputs(strerrordesc_np(f->error) ?: "unknown error", out);
}

/* "NAME: ", "NAME 0000:00:01.0: ", "module NAME: ", "Module NAME is "; NAME may have '-' for '_'. */
static bool is_named(const char *module, const char *line) {
        size_t n = strlen(module);

        if (startswith(line, "module ") || startswith(line, "Module "))
                line += strlen("module ");
        return module_name_equal(line, module, n) && (line[n] == ':' || line[n] == ' ');
}

/**
 * error_text_concerns() - whether a line of the kernel's log may say why a module could not be loaded
 * @module: normalised
 * @line:   the text, without priority and time
 */
bool error_text_concerns(const char *module, const char *line) {
        Captures c;

        assert(module && line);

        if (is_named(module, line))
                return true;
        for (size_t i = 0; i < ARRAY_LEN(insert_rules); i++)
                if (insert_rules[i].nameless && line_matches(insert_rules[i].line, line, &c))
                        return true;
        return false;
}

static int error_text(const ErrorRule *rules, const char *module, int error, const char *const *log,
                      size_t n, Distribution distribution, char **ret_message, char **ret_hint) {
        _cleanup_(freep) char *message = NULL, *hint = NULL;
        Captures captures = {};
        Filling f = {
                .module = module,
                .error = error < 0 && error > INT_MIN ? -error : error,
                .captures = &captures,
                .log = log,
                .n_log = n,
                .distribution = distribution,
        };
        int r;

        assert(module && (log || n == 0) && ret_message && ret_hint);

        f.rule = find_rule(rules, f.error, log, n, &captures);
        r = template_fill(f.rule->message, put_field, &f, &message);
        if (r < 0)
                return r;
        if (f.rule->hint) {
                r = template_fill(f.rule->hint, put_field, &f, &hint);
                if (r < 0)
                        return r;
        }

        *ret_message = STEAL_PTR(message);
        *ret_hint = STEAL_PTR(hint);
        return 0;
}

/**
 * error_text_insert() - why a module could not be loaded
 *
 * Return: 0; -ENOMEM.
 */
int error_text_insert(const char *module, int error, const char *const *kernel_log, size_t n,
                      Distribution distribution, char **ret_message, char **ret_hint) {
        return error_text(insert_rules, module, error, kernel_log, n, distribution, ret_message, ret_hint);
}

/**
 * error_text_remove() - why a module could not be removed
 *
 * Return: 0; -ENOMEM.
 */
int error_text_remove(const char *module, int error, const char *const *kernel_log, size_t n,
                      char **ret_message, char **ret_hint) {
        return error_text(remove_rules, module, error, kernel_log, n, DISTRIBUTION_UNKNOWN, ret_message,
                          ret_hint);
}

/* ---------------------------------------------------------------------------------------------- commands */

#define LINES_SHOWN_MAX 3U              /* of what a command wrote */
#define LINES_SIZE_MAX 300U             /* bytes of them */

bool command_refused(int wait_status) {
        /* 126 and 127: it could not be run, sh(1), EXIT STATUS */
        return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) != 0 && WEXITSTATUS(wait_status) != 126 &&
               WEXITSTATUS(wait_status) != 127;
}

static bool ends_line(char c) {
        return c == '\n' || c == '\r';
}

/* The beginning of the last lines of a text that ends at @end. *ret_cut: there is more before it. */
static const char *find_last_lines(const char *text, const char *end, bool *ret_cut) {
        const char *p = end;

        for (unsigned n = 0; p > text && (size_t) (end - p) < LINES_SIZE_MAX; p--)
                if (ends_line(p[-1]) && p < end && !ends_line(*p) && ++n == LINES_SHOWN_MAX)
                        break;
        *ret_cut = p > text && !ends_line(p[-1]);
        while (*ret_cut && p < end && ((unsigned char) *p & 0xc0) == 0x80)
                p++;                    /* not within a character */
        return p;
}

/* ": LINE / LINE", the last lines that a command wrote. */
static void put_output(FILE *f, const char *output) {
        const char *end = output + strlen(output), *p;
        bool cut;

        while (end > output && (ends_line(end[-1]) || end[-1] == ' '))
                end--;
        if (end == output)
                return;

        p = find_last_lines(output, end, &cut);
        (void) fputs(cut ? ": ..." : ": ", f);
        while (p < end) {
                size_t n = strcspn(p, "\r\n");

                n = MIN(n, (size_t) (end - p));
                (void) fwrite(p, 1, n, f);
                p += n;
                while (p < end && ends_line(*p))
                        p++;
                if (p < end)
                        (void) fputs(" / ", f);
        }
}

static void put_line_of_command(FILE *f, const CommandEnding *ending) {
        if (!ending->file)
                return;
        (void) fprintf(f, " (%s", ending->file);
        if (ending->line > 0)
                (void) fprintf(f, ":%u", ending->line);
        (void) fputc(')', f);
}

static void put_ending(FILE *f, const char *module, const CommandEnding *ending) {
        const char *kind = ending->removes ? "remove" : "install", *signal_name;
        bool refused = command_refused(ending->wait_status);
        int status = WEXITSTATUS(ending->wait_status);

        if (refused && !ending->removes)
                (void) fprintf(f, "%s is kept out by its install command", module);
        else
                (void) fprintf(f, "the %s command of %s", kind, module);
        put_line_of_command(f, ending);

        if (WIFSIGNALED(ending->wait_status)) {
                signal_name = sigabbrev_np(WTERMSIG(ending->wait_status));
                (void) fprintf(f, " was killed by signal %d (%s%s)", WTERMSIG(ending->wait_status),
                               signal_name ? "SIG" : "", signal_name ?: "unknown");
        } else if (!refused)
                (void) fprintf(f, " names a program that %s",
                               status == 127 ? "is not there" : "cannot be run");
        else if (ending->removes)
                (void) fprintf(f, " failed with status %d", status);
        else
                (void) fprintf(f, ", which ended with status %d", status);
        put_output(f, ending->output ?: "");
}

/**
 * error_text_command() - why an install or remove command of modprobe.d failed
 *
 * Return: 0; -ENOMEM.
 */
int error_text_command(const char *module, const CommandEnding *ending, char **ret_message,
                       char **ret_hint) {
        _cleanup_(freep) char *message = NULL, *hint = NULL;
        size_t size;
        FILE *f;

        assert(module && ending && ending->wait_status != 0 && ret_message && ret_hint);

        f = open_memstream(&message, &size);
        if (!f)
                return -ENOMEM;
        put_ending(f, module, ending);
        if (fclose(f) != 0)
                return -ENOMEM;
        if (asprintf(
                    &hint,
                    "modprobe --showconfig | grep -w '%s %s' shows the command, journalctl -b -u 'lkmd-command@*' all "
                    "that it wrote",
                    ending->removes ? "remove" : "install", module) < 0) {
                hint = NULL;
                return -ENOMEM;
        }

        *ret_message = STEAL_PTR(message);
        *ret_hint = STEAL_PTR(hint);
        return 0;
}

static void put_lost(FILE *f, const char *module, const CommandEnding *ending, int error) {
        if (error == ECONNRESET)
                (void) fputs("lkmd-command ended before it was known ", f);
        if (!ending->file)
                (void) fprintf(f, error == ECONNRESET ? "whether %s got in" : "%s was not tried: ", module);
        else {
                (void) fprintf(f, "%sthe %s command of %s", error == ECONNRESET ? "how " : "",
                               ending->removes ? "remove" : "install", module);
                put_line_of_command(f, ending);
                (void) fputs(error == ECONNRESET ? " ended" : " was not run: ", f);
        }
        if (error == ENOTCONN)
                (void) fputs("lkmd-command did not start", f);
        else if (error == EPROTO)
                (void) fputs(
                        "lkmd-command is of another version than lkmd, since one of them was replaced while lkmd ran",
                        f);
        else if (error != ECONNRESET)
                (void) fprintf(f, "lkmd-command cannot be reached (%s)", strerror(error));
}

/**
 * error_text_command_lost() - why it is not known how an install or remove command ended
 * @ending: without status and output; without a file: lkmd-command loads the module itself, which is compressed
 * @error:  ECONNRESET: lkmd-command ended; ENOTCONN: it did not start; EPROTO: it is of another version; others: it
 *          cannot be reached
 *
 * Return: 0; -ENOMEM.
 */
int error_text_command_lost(const char *module, const CommandEnding *ending, int error, char **ret_message,
                            char **ret_hint) {
        _cleanup_(freep) char *message = NULL, *hint = NULL;
        size_t size;
        FILE *f;

        assert(module && ending && ret_message && ret_hint);

        error = error < 0 ? -error : error;
        f = open_memstream(&message, &size);
        if (!f)
                return -ENOMEM;
        put_lost(f, module, ending, error);
        if (fclose(f) != 0)
                return -ENOMEM;
        if (error == ECONNRESET) {
                if (asprintf(&hint, "lkmctl status %s; journalctl -b -u 'lkmd-command@*'", module) < 0)
                        hint = NULL;
        } else
                hint = strdup(
                        error == ENOTCONN
                                ? "journalctl -b -u 'lkmd-command@*'; systemctl status lkmd-command.socket"
                        : error == EPROTO ? "systemctl restart lkmd"
                                          : "systemctl restart lkmd-command.socket");
        if (!hint)
                return -ENOMEM;
        *ret_message = STEAL_PTR(message);
        *ret_hint = STEAL_PTR(hint);
        return 0;
}

/**
 * error_name() - the symbolic name of an errno, to search the web for
 */
const char *error_name(int error) {
        return strerrorname_np(error < 0 && error > INT_MIN ? -error : error) ?: "unknown error";
}
