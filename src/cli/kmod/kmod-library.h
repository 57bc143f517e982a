/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libkmod.h>

/*
 * libkmod, opened by the first who needs it: lkmctl is not linked with it, since it brings libcrypto, and loading that
 * takes longer than most verbs. Functions have their own names: kmod.kmod_new(..).
 */

#define KMOD_FUNCTIONS(X)                    \
        X(kmod_new)                          \
        X(kmod_unref)                        \
        X(kmod_set_log_fn)                   \
        X(kmod_set_log_priority)             \
        X(kmod_get_log_priority)             \
        X(kmod_load_resources)               \
        X(kmod_unload_resources)             \
        X(kmod_get_dirname)                  \
        X(kmod_dump_index)                   \
        X(kmod_list_next)                    \
        X(kmod_list_last)                    \
        X(kmod_list_prev)                    \
        X(kmod_config_get_aliases)           \
        X(kmod_config_get_blacklists)        \
        X(kmod_config_get_install_commands)  \
        X(kmod_config_get_options)           \
        X(kmod_config_get_remove_commands)   \
        X(kmod_config_get_softdeps)          \
        X(kmod_config_get_weakdeps)          \
        X(kmod_config_iter_free_iter)        \
        X(kmod_config_iter_get_key)          \
        X(kmod_config_iter_get_value)        \
        X(kmod_config_iter_next)             \
        X(kmod_module_apply_filter)          \
        X(kmod_module_dependency_symbol_get_bind) \
        X(kmod_module_dependency_symbol_get_crc) \
        X(kmod_module_dependency_symbol_get_symbol) \
        X(kmod_module_dependency_symbols_free_list) \
        X(kmod_module_get_dependencies)      \
        X(kmod_module_get_dependency_symbols) \
        X(kmod_module_get_holders)           \
        X(kmod_module_get_info)              \
        X(kmod_module_get_initstate)         \
        X(kmod_module_get_install_commands)  \
        X(kmod_module_get_module)            \
        X(kmod_module_get_name)              \
        X(kmod_module_get_options)           \
        X(kmod_module_get_path)              \
        X(kmod_module_get_refcnt)            \
        X(kmod_module_get_remove_commands)   \
        X(kmod_module_get_size)              \
        X(kmod_module_get_softdeps)          \
        X(kmod_module_get_symbols)           \
        X(kmod_module_get_versions)          \
        X(kmod_module_info_free_list)        \
        X(kmod_module_info_get_key)          \
        X(kmod_module_info_get_value)        \
        X(kmod_module_insert_module)         \
        X(kmod_module_new_from_loaded)       \
        X(kmod_module_new_from_lookup)       \
        X(kmod_module_new_from_name)         \
        X(kmod_module_new_from_name_lookup)  \
        X(kmod_module_new_from_path)         \
        X(kmod_module_probe_insert_module)   \
        X(kmod_module_ref)                   \
        X(kmod_module_remove_module)         \
        X(kmod_module_symbol_get_crc)        \
        X(kmod_module_symbol_get_symbol)     \
        X(kmod_module_symbols_free_list)     \
        X(kmod_module_unref)                 \
        X(kmod_module_unref_list)            \
        X(kmod_module_version_get_crc)       \
        X(kmod_module_version_get_symbol)    \
        X(kmod_module_versions_free_list)

typedef struct KmodLibrary {
#define KMOD_MEMBER(function) typeof(&function) function;
        KMOD_FUNCTIONS(KMOD_MEMBER)
#undef KMOD_MEMBER
} KmodLibrary;

extern KmodLibrary kmod;

int kmod_library_open(void);
