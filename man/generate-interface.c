/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The page io.lkmd.Manager(7), for scdoc, made of the descriptions of the varlink interface: what varlinkctl
 * introspect shows, in the order and with the cross references of a manual. Runs while lkmd is built.
 */

#include <stdio.h>
#include <string.h>

#include "common/interface/interface.h"

static const struct Part {
        sd_varlink_symbol_type_t type;
        const char *title, *text;
} parts[] = {
        { SD_VARLINK_METHOD, "METHODS", "Inputs are marked with ->, what is in the reply with <-. A ? marks what may be absent." },
        { SD_VARLINK_ERROR, "ERRORS", "The name of each begins with _io.lkmd.Manager._." },
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

int main(void) {
        const sd_varlink_interface *interface = &vl_interface_io_lkmd_Manager;

        (void) printf(
                "io.lkmd.Manager(7) \"\" \"lkmd\"\n\n# NAME\n\nio.lkmd.Manager - the varlink interface of lkmd\n\n"
                "# SYNOPSIS\n\n*varlinkctl call* _/run/lkmd/io.lkmd.Manager_ io.lkmd.Manager._METHOD_ _PARAMETERS_\n\n"
                "# DESCRIPTION\n\n");
        for (const sd_varlink_symbol *const *s = interface->symbols; *s; s++)
                if ((*s)->symbol_type == _SD_VARLINK_INTERFACE_COMMENT) {
                        put_text((*s)->name);
                        (void) printf("\n\n");
                }
        (void) printf(
                "lkmctl(1) is a client of it: with *--json* its verbs print what a method replies, with the same names. Names of fields that end in "
                "_USec_ are times or spans in microseconds. *varlinkctl introspect* _/run/lkmd/io.lkmd.Manager_ prints the definition.\n\n");
        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
                put_part(interface, parts + i);
        (void) printf("# SEE ALSO\n\n*lkmd*(8), *lkmctl*(1), *varlinkctl*(1)\n");
        return ferror(stdout) ? 1 : 0;
}
