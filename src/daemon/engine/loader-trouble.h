/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* LoaderTrouble: why lkmd-loader cannot act. */
typedef enum LoaderTrouble {
        LOADER_IS_WELL,
        LOADER_IS_SILENT,               /* there is a connection, but no answer */
        LOADER_HANGS_UP,                /* on each connection, before it answers anything */
        LOADER_IS_OF_ANOTHER_VERSION,   /* and so does not understand lkmd, nor lkmd it */
        LOADER_HAS_NO_SOCKET,
        LOADER_IS_NOT_EXECUTABLE,
        LOADER_IS_GONE,                 /* its program */
        _LOADER_TROUBLE_MAX,
} LoaderTrouble;

const char *loader_trouble_text(LoaderTrouble trouble);
const char *loader_trouble_remedy(LoaderTrouble trouble);
