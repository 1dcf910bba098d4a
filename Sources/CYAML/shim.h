/* SPDX-License-Identifier: Apache-2.0 */
/* libyaml: configuration files. */
#pragma once
#include <yaml.h>
