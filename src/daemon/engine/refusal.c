/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Refusal: a message and a hint for each LoaderRefusal. Owns nothing. */

#include "daemon/engine/refusal.h"

#include <assert.h>

#include "common/base/util.h"

static const struct {
        const char *message;            /* follows the name of the module */
        const char *hint;
} texts[_LOADER_REFUSAL_MAX] = {
        [LOADER_NOT_REFUSED] = { "was refused by lkmd-loader", "journalctl -b -u lkmd-loader may say more" },
        [LOADER_REFUSED_FILE] = { "cannot be loaded: others than root could have written its file, or have led there",
                                  "have the file and all directories above it belong to root, and take the right to write from group and "
                                  "others: chown root FILE; chmod go-w FILE; modinfo -n MODULE names the file" },
        [LOADER_REFUSED_NAME] = { "is not what its file is called",
                                  "run depmod -a; modinfo -n MODULE names the file" },
        [LOADER_REFUSED_ORIGIN] = { "has parameters from a file that others than root could have written",
                                    "have that file, its directories and links to it belong to root, and take the right to write from group and "
                                    "others; lkmctl plan MODULE names the file of each parameter" },
        [LOADER_REFUSED_WORDS] = { "has parameters that are not in their file any more",
                                   "the file has been changed meanwhile: try again; lkmctl plan MODULE names the file of each parameter" },
        [LOADER_REFUSED_CLIENT] = { "was asked for with parameters or force by somebody who is not root, or is gone",
                                    "ask as root, and wait for the answer; or write parameters in /etc/modprobe.d: options MODULE NAME=VALUE" },
        [LOADER_REFUSED_ARGUMENTS] = { "was asked for with parameters that are not among the arguments of root's process, nor is its name",
                                       "write the parameters in /etc/modprobe.d: options MODULE NAME=VALUE; or run lkmctl load MODULE NAME=VALUE "
                                       "as root on this machine" },
        [LOADER_REFUSED_FORCE] = { "was asked for by force, which is not among the arguments of root's process",
                                   "run lkmctl with --force as root on this machine" },
        [LOADER_REFUSED_SHELL] = { "has an install command, and a parameter that the shell could take for more than a word",
                                   "write the parameter in /etc/modprobe.d: options MODULE NAME=VALUE" },
        [LOADER_REFUSED_MEMBER] = { "has an install command, into which only root may put parameters",
                                    "load it without parameters, or as root" },
        [LOADER_REFUSED_COMPRESSION] = { "has a compressed file that this kernel cannot decompress",
                                         "lkmd-command does it: systemctl status lkmd-command.socket" },
};

int refusal_text(LoaderRefusal why, const char *module, char **ret_message, char **ret_hint) {
        _cleanup_(freep) char *message = NULL;

        assert(why >= 0 && why < _LOADER_REFUSAL_MAX && module && ret_message && ret_hint);

        if (asprintf(&message, "%s %s", module, texts[why].message) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        *ret_hint = strdup(texts[why].hint);
        if (!*ret_hint)
                return -ENOMEM;
        *ret_message = STEAL_PTR(message);
        return 0;
}
