/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Calls that are build errors, because each was the cause of known defects elsewhere: unbounded
 * copies, parsers that hide overflow, hidden static buffers, shells. Included before every source
 * file by the build.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if __has_include(<alloca.h>)
#include <alloca.h>
#endif

#define BANNED(name) sorry_##name##_is_banned_see_base_banned_h

#undef strcpy
#undef strcat
#undef sprintf
#undef strtok
#undef alloca
#define strcpy(...) BANNED(strcpy)
#define strcat(...) BANNED(strcat)
#define sprintf(...) BANNED(sprintf)
#define vsprintf(...) BANNED(vsprintf)
#define strtok(...) BANNED(strtok)
#define atoi(...) BANNED(atoi)
#define atol(...) BANNED(atol)
#define strtol(...) BANNED(strtol)
#define strtoul(...) BANNED(strtoul)
#define gmtime(...) BANNED(gmtime)
#define localtime(...) BANNED(localtime)
#define system(...) BANNED(system)
#define popen(...) BANNED(popen)
#define setenv(...) BANNED(setenv)
#define alloca(...) BANNED(alloca)
