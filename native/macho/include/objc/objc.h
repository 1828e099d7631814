// What Objective-C itself needs. `id`, `Class` and `SEL` are the compiler's own.
#pragma once

typedef bool BOOL;
#define YES __objc_yes
#define NO __objc_no
#define nil nullptr
#define Nil nullptr
