// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lkmd_test_nested.h"
