/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* ModuleDevices: the devices that have a driver of a module. */
int module_devices_new(const char *root, const char *module, char ***ret);
