/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The pages io.lkmd.Manager(7) and io.lkmd.Broker(7), for scdoc, made of the descriptions of these varlink interfaces,
 * of which one is the argument: what varlinkctl introspect shows, in the order and with the cross references of a
 * manual. Runs while lkmd is built.
 */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/paths.h"
#include "common/interface/interface-broker.h"
#include "common/interface/interface.h"

static const struct Part {
        sd_varlink_symbol_type_t type;
        const char *title, *text;
} parts[] = {
        { SD_VARLINK_METHOD, "METHODS", "Inputs are marked with ->, what is in the reply with <-. A ? marks what may be absent." },
        { SD_VARLINK_ERROR, "ERRORS", "The name of each begins with that of the interface and a dot." },
        { SD_VARLINK_STRUCT_TYPE, "STRUCTURES", NULL },
        { SD_VARLINK_ENUM_TYPE, "ENUMERATIONS", NULL },
};

/* Text in which nothing is markup. */
static void put_text(const char *text) {
        for (; *text; text++) {
                if (strchr("\\*_#~|<>[]", *text))
                        (void) putchar('\\');
                (void) putchar(*text == '\n' ? ' ' : *text);
        }
}

static const char *type_name(const sd_varlink_field *field) {
        switch (field->field_type) {
        case SD_VARLINK_BOOL:
                return "bool";
        case SD_VARLINK_INT:
                return "int";
        case SD_VARLINK_FLOAT:
                return "float";
        case SD_VARLINK_STRING:
                return "string";
        case SD_VARLINK_OBJECT:
                return "object";
        case SD_VARLINK_NAMED_TYPE:
                return field->named_type;
        default:
                return NULL;            /* a value of an enumeration has none */
        }
}

/* "*name*: ?[]string", and its comment below. */
static void put_field(const sd_varlink_field *field, const char *comment) {
        const char *type = type_name(field);

        (void) printf("*");
        put_text(field->name);
        (void) printf("*");
        if (type) {
                (void) printf(" %s", field->field_direction == SD_VARLINK_INPUT    ? "->"
                                     : field->field_direction == SD_VARLINK_OUTPUT ? "<-"
                                                                                   : ":");
                (void) printf(" %s%s%s", field->field_flags & SD_VARLINK_NULLABLE ? "?" : "",
                              field->field_flags & SD_VARLINK_ARRAY ? "\\[\\]" : "",
                              field->field_flags & SD_VARLINK_MAP ? "\\[string\\]" : "");
                put_text(type);
        }
        (void) printf("\n");
        if (comment) {
                (void) printf("\t");
                put_text(comment);
                (void) printf("\n");
        }
        (void) printf("\n");
}

static void put_symbol(const sd_varlink_symbol *symbol, const char *comment) {
        const char *said = NULL;

        (void) printf("## ");
        put_text(symbol->name);
        (void) printf("\n\n");
        if (comment) {
                put_text(comment);
                (void) printf("\n\n");
        }
        if (symbol->symbol_flags & SD_VARLINK_REQUIRES_MORE)
                (void) printf("Has to be called with the flag _more_.\n\n");
        else if (symbol->symbol_flags & SD_VARLINK_SUPPORTS_MORE)
                (void) printf("May be called with the flag _more_.\n\n");
        for (const sd_varlink_field *f = symbol->fields; f->field_type != _SD_VARLINK_FIELD_TYPE_END_MARKER;
             f++)
                if (f->field_type == _SD_VARLINK_FIELD_COMMENT)
                        said = f->name;
                else {
                        put_field(f, said);
                        said = NULL;
                }
}

static bool has_part(const sd_varlink_interface *interface, const struct Part *part) {
        for (const sd_varlink_symbol *const *s = interface->symbols; *s; s++)
                if ((*s)->symbol_type == part->type)
                        return true;
        return false;
}

static void put_part(const sd_varlink_interface *interface, const struct Part *part) {
        const char *said = NULL;

        (void) printf("# %s\n\n", part->title);
        if (part->text)
                (void) printf("%s\n\n", part->text);
        for (const sd_varlink_symbol *const *s = interface->symbols; *s; s++)
                if ((*s)->symbol_type == _SD_VARLINK_SYMBOL_COMMENT)
                        said = (*s)->name;
                else {
                        if ((*s)->symbol_type == part->type)
                                put_symbol(*s, said);
                        said = NULL;
                }
}

static const struct Page {
        const sd_varlink_interface *interface;
        const char *name, *summary, *socket, *method, *text, *see;
} pages[] = {
        { &vl_interface_io_lkmd_Manager, LKMD_INTERFACE, "the varlink interface of lkmd", LKMD_SOCKET,
          "_METHOD_",
          "lkmctl(1) is a client of it: with *--json* its verbs print what a method replies, with the same names. Names of fields that end in "
          "_USec_ are times or spans in microseconds.",
          "*lkmd*(8), *lkmctl*(1), *io.lkmd.Broker*(7), *varlinkctl*(1)" },
        { &vl_interface_io_lkmd_Broker, LKMD_BROKER_INTERFACE,
          "the varlink interface of lkmd for containers", LKMD_BROKER_SOCKET, "Require",
          "The directory of the socket is mounted into a container, read-only; lkmd-policy(5), section CONTAINERS, says how, and what it takes "
          "to be allowed something. *lkmctl require* is a client of it, in a container.",
          "*lkmd-policy*(5), *lkmd*(8), *lkmctl*(1), *io.lkmd.Manager*(7), *varlinkctl*(1)" },
};

static void put_page(const struct Page *page) {
        const sd_varlink_interface *interface = page->interface;

        (void) printf("%s(7) \"\" \"lkmd\"\n\n# NAME\n\n%s - %s\n\n# SYNOPSIS\n\n"
                      "*varlinkctl call* _%s_ %s.%s _PARAMETERS_\n\n# DESCRIPTION\n\n",
                      page->name, page->name, page->summary, page->socket, page->name, page->method);
        for (const sd_varlink_symbol *const *s = interface->symbols; *s; s++)
                if ((*s)->symbol_type == _SD_VARLINK_INTERFACE_COMMENT) {
                        put_text((*s)->name);
                        (void) printf("\n\n");
                }
        (void) printf("%s *varlinkctl introspect* _%s_ prints the definition.\n\n", page->text,
                      page->socket);
        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
                if (has_part(interface, parts + i))
                        put_part(interface, parts + i);
        (void) printf("# SEE ALSO\n\n%s\n", page->see);
}

int main(int argc, char **argv) {
        for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
                if (argc == 2 && strcmp(argv[1], pages[i].name) == 0) {
                        put_page(pages + i);
                        return ferror(stdout) ? 1 : 0;
                }
        return 1;
}
