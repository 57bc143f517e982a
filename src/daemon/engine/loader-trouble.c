/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* LoaderTrouble: the text about each, and the remedy. Owns nothing. */

#include "daemon/engine/loader-trouble.h"

#include <assert.h>

#include "common/base/paths.h"

/* What the trouble is, in a sentence. */
const char *loader_trouble_text(LoaderTrouble trouble) {
        static const char *const texts[_LOADER_TROUBLE_MAX] = {
                [LOADER_IS_WELL] = "lkmd-loader works",
                [LOADER_IS_SILENT] = "lkmd-loader does not answer (stopped?)",
                [LOADER_HANGS_UP] = "lkmd-loader ends as soon as it is started",
                [LOADER_IS_OF_ANOTHER_VERSION] =
                        "lkmd-loader is of another version than lkmd, since one of them was replaced "
                        "while the other one ran",
                [LOADER_HAS_NO_SOCKET] = "lkmd-loader cannot be reached, its socket is not there",
                [LOADER_IS_NOT_EXECUTABLE] = LKMD_LOADER_PROGRAM " is not executable",
                [LOADER_IS_GONE] = LKMD_LOADER_PROGRAM " is not there",
        };

        assert(trouble >= 0 && trouble < _LOADER_TROUBLE_MAX);

        return texts[trouble];
}

/* The command that helps. */
const char *loader_trouble_remedy(LoaderTrouble trouble) {
        static const char *const texts[_LOADER_TROUBLE_MAX] = {
                [LOADER_IS_WELL] = "lkmctl status",
                [LOADER_IS_SILENT] = "systemctl kill -s CONT lkmd-loader",
                [LOADER_HANGS_UP] = "journalctl -b -u lkmd-loader",
                [LOADER_IS_OF_ANOTHER_VERSION] = "systemctl restart lkmd-loader lkmd",
                [LOADER_HAS_NO_SOCKET] = "systemctl start lkmd-loader.socket",
                [LOADER_IS_NOT_EXECUTABLE] = "chmod 755 " LKMD_LOADER_PROGRAM,
                [LOADER_IS_GONE] = "install lkmd again",
        };

        assert(trouble >= 0 && trouble < _LOADER_TROUBLE_MAX);

        return texts[trouble];
}
