/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any bytes as the file of a module: refused, or what it says of itself is the same whenever it is asked. */

#include "common/base/string-list.h"
#include "common/module/module-info.h"
#include "support.h"

static FuzzFile file = { .fd = -EBADF };

static void check_parameters(void) {
        char **names = NULL, **again = NULL;
        int r = module_info_parameters(file.path, &names);

        must(module_info_parameters(file.path, &again) == r);
        must((r == 0) == (names != NULL));
        for (size_t i = 0; names && names[i]; i++) {
                must(again[i] && streq(names[i], again[i]));
                must(!strchr(names[i], ':'));
                for (size_t k = 0; k < i; k++)
                        must(!streq(names[i], names[k]));
        }
        string_list_free(names);
        string_list_free(again);
}

static void check_facts(size_t size) {
        _cleanup_(module_facts_clear) ModuleFacts facts = {}, again = {};
        int r = module_info_facts(file.path, &facts);

        must(module_info_facts(file.path, &again) == r);
        if (r < 0) {
                must(!facts.license && !again.license);
                return;
        }
        must(streq_ptr(facts.license, again.license) || facts.license == again.license);
        must(facts.is_signed == again.is_signed && facts.in_tree == again.in_tree);
        must(!facts.license || strlen(facts.license) <= size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        if (file.fd < 0)
                fuzz_file_open(&file, "module.ko");
        fuzz_file_write(&file, data, size);
        check_parameters();
        check_facts(size);
        return 0;
}
