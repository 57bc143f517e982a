/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as the text of a kernel uevent ("add@/devices/...", then KEY=VALUE, each ended by NUL): what is
 * looked up for the device is what it said itself or a constant, and it can be shown. A copy says the same.
 */

#include "common/base/text.h"
#include "common/device/device-keys.h"
#include "support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *keys[DEVICE_KEYS_MAX];
        DeviceFacts facts = {}, copy;
        char *text = fuzz_text(data, size), *memory;
        size_t n;

        device_facts_parse(&facts, text, size);
        memory = malloc(device_facts_size(&facts) + 1);
        must(memory);
        device_facts_copy(&copy, &facts, memory);
        must(device_facts_equal(&copy, &facts));

        n = device_keys(&facts, keys);
        must(n <= DEVICE_KEYS_MAX && (n == 0 || streq(facts.action, "add")));
        for (size_t i = 0; i < n; i++) {
                char shown[TEXT_SHOWN_MAX], *escaped = NULL;

                must(keys[i][0] != '\0' && text_escape(keys[i], &escaped) == 0);
                text_show(keys[i], shown);
                free(escaped);
        }

        free(memory);
        free(text);
        return 0;
}
