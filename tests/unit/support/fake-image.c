/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Makes images of indexes. Owns nothing. */

#include "fake-image.h"

#include "common/base/util.h"
#include "common/index/index-tree.h"

void *fake_image(const char *module_dir, size_t *ret_size) {
        _cleanup_(index_tree_clear) IndexTree t = {};
        void *image;

        if (index_tree_build(&t, module_dir, /* present= */ true, NULL) < 0 || !t.complete || !t.whole)
                abort();
        index_origin_clear(&t.origin);
        if (index_origin_read(&t.origin, module_dir) < 0 || index_tree_compose(&t, &image, ret_size) < 0)
                abort();
        return image;
}
