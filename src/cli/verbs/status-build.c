/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* StatusBuild: see status-build.h. */

#include "cli/verbs/status-build.h"

#include <assert.h>

#include "cli/machine/taint.h"
#include "cli/print/format.h"
#include "common/base/string-list.h"
#include "common/base/text.h"
#include "common/module/module-info.h"

#define ID_SHOWN 12                     /* digits of a build ID: enough to see that two differ */
#define BRINGERS_SHOWN 4U

/**
 * status_build_look() - look at a module in the kernel and at its file
 * @path: NULL: it has none
 * @ret:  to be cleared, also after a failure; what cannot be read is not there
 *
 * Return: 0; -ENOMEM.
 */
int status_build_look(const Machine *machine, const char *module, const char *path, StatusBuild *ret) {
        ModuleFacts facts = {};
        int r;

        assert(machine && module && ret);

        *ret = (StatusBuild) {};
        r = module_build_of_kernel(machine, module, &ret->loaded);
        if (r >= 0 && path)
                r = module_build_of_file(path, &ret->on_disk);
        if (r == -ENOMEM)
                return r;
        ret->match = module_build_compare(&ret->loaded, &ret->on_disk);
        r = taint_of_module(machine, module, &ret->taint);
        if (r == -ENOMEM)
                return r;
        r = path ? module_info_facts(path, &facts) : -ENOENT;
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        ret->is_read = true;
        ret->is_signed = facts.is_signed;
        ret->licence = STEAL_PTR(facts.license);
        ret->signer = STEAL_PTR(facts.signer);
        module_facts_clear(&facts);
        return 0;
}

void status_build_clear(StatusBuild *b) {
        assert(b);

        module_build_clear(&b->loaded);
        module_build_clear(&b->on_disk);
        free(b->licence);
        free(b->signer);
        free(b->taint);
        *b = (StatusBuild) {};
}

static int set_text(sd_json_variant **object, const char *field, const char *text) {
        _cleanup_(freep) char *escaped = NULL;
        int r;

        if (!text)
                return 0;
        r = text_escape(text, &escaped);
        return r < 0 ? r : sd_json_variant_set_field_string(object, field, escaped);
}

/* {version, srcVersion, buildId, fileVersion, fileSrcVersion, fileBuildId, stale, license, signer, signed, taint} */
int status_build_to_json(const StatusBuild *b, sd_json_variant **ret) {
        const struct {
                const char *field, *text;
        } texts[] = {
                { "version", b->loaded.version },       { "srcVersion", b->loaded.srcversion },
                { "buildId", b->loaded.build_id },      { "fileVersion", b->on_disk.version },
                { "fileSrcVersion", b->on_disk.srcversion }, { "fileBuildId", b->on_disk.build_id },
                { "license", b->licence },              { "signer", b->signer },
                { "taint", b->taint },
        };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *object = NULL;
        int r = 0;

        assert(b && ret);

        for (size_t i = 0; r >= 0 && i < ARRAY_LEN(texts); i++)
                r = set_text(&object, texts[i].field, texts[i].text);
        if (r >= 0 && b->is_read)
                r = sd_json_variant_set_field_boolean(&object, "signed", b->is_signed);
        if (r >= 0 && b->match != BUILD_UNKNOWN)
                r = sd_json_variant_set_field_boolean(&object, "stale", b->match == BUILD_OTHER);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(object);
        return 0;
}

static void print_build(const ModuleBuild *b) {
        if (b->version)
                print_escaped(stdout, b->version);
        if (b->version && (b->build_id || b->srcversion))
                printf(", ");
        if (b->build_id)
                printf("build %.*s", ID_SHOWN, b->build_id);
        else if (b->srcversion) {
                printf("source ");
                print_escaped(stdout, b->srcversion);
        }
}

static bool is_known(const ModuleBuild *b) {
        return b->version || b->build_id || b->srcversion;
}

/* "O: built outside of the kernel; E: without a valid signature" */
static void print_letters(const char *letters) {
        for (const char *c = letters; *c; c++) {
                const char *words = taint_words(*c);

                printf("%s%s", c > letters ? "; " : "", words ?: "");
                if (!words)
                        print_escaped(stdout, (const char[]) { *c, '\0' });
                else
                        printf(" (%c)", *c);
        }
}

void status_build_print(const Output *out, const StatusBuild *b, const char *module) {
        const ModuleBuild *shown = is_known(&b->loaded) ? &b->loaded : &b->on_disk;

        assert(out && b && module);

        if (is_known(shown)) {
                output_label(out, "Version");
                print_build(shown);
                putchar('\n');
        }
        if (b->match == BUILD_OTHER) {
                output_label(out, "Stale");
                printf("%sits file is another build%s: ", output_tone(out, stdout, TONE_WARN),
                       output_tone(out, stdout, TONE_PLAIN));
                print_build(&b->on_disk);
                printf("; lkmctl unload ");
                print_escaped(stdout, module);
                printf(" && lkmctl load ");
                print_escaped(stdout, module);
                putchar('\n');
        }
        if (b->licence) {
                output_label(out, "Licence");
                print_escaped(stdout, b->licence);
                putchar('\n');
        }
        if (b->is_read) {
                output_label(out, "Signer");
                print_escaped(stdout, b->signer      ? b->signer
                                      : b->is_signed ? "signed, without a name"
                                                     : "not signed");
                putchar('\n');
        }
        if (b->taint && *b->taint) {
                output_label(out, "Taint");
                print_letters(b->taint);
                putchar('\n');
        }
}

/* Which module of the kernel's brought a letter; some are of no module. Return: 0; -ENOMEM. */
static int print_bringers(const Machine *machine, char letter) {
        _cleanup_(string_list_freep) char **modules = NULL;
        size_t n;
        int r;

        r = taint_bringers(machine, letter, &modules);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        n = string_list_count(modules);
        for (size_t i = 0; i < MIN(n, (size_t) BRINGERS_SHOWN); i++) {
                printf("%s", i == 0 ? ": " : ", ");
                print_escaped(stdout, modules[i]);
        }
        if (n > BRINGERS_SHOWN)
                printf(" and %zu more", n - BRINGERS_SHOWN);
        return 0;
}

/* A line for each letter of the kernel's taint, with the modules in it that have it. Return: 0; -ENOMEM. */
int status_print_taint(const Output *out, const Machine *machine) {
        _cleanup_(freep) char *letters = NULL;
        int r;

        assert(out && machine);

        r = taint_of_kernel(machine, &letters);
        for (const char *c = letters; r >= 0 && c && *c; c++) {
                if (c == letters)
                        output_label(out, "Tainted");
                else
                        printf("%14s", "");
                printf("%s (%c)", taint_words(*c), *c);
                r = print_bringers(machine, *c);
                putchar('\n');
        }
        return r == -ENOMEM ? r : 0;
}
