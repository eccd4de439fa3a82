// SPDX-License-Identifier: MIT
//
// strassen — the problem: the product of two n x n matrices of doubles from
// seven products of half the size, down to blocks for matmul's kernel.
//
// The seven are tasks. The sums before and after them are part of the node, the
// same compiled code for all. What a node needs besides its matrices lies at its
// own place in memory that is there before the clock starts, so that all seven
// may run at the same time: 140 MB for n = 1024. It is this that is measured
// besides matmul: wide nodes with serial work in them, and memory traffic.
//
// Source:  Strassen, "Gaussian Elimination is not Optimal", Numerische
//          Mathematik 13, 1969, in Winograd's form with 15 sums.

#ifndef BENCH_STRASSEN_STRASSEN_H
#define BENCH_STRASSEN_STRASSEN_H

#include "common/matrix.h"

#define STRASSEN_SIZE_DEFAULT "1024"
#define STRASSEN_BLOCK 128
#define STRASSEN_PRODUCTS 7

// c = a * b, all n x n.
struct strassen {
    struct bench_matrix c;
    struct bench_matrix a;
    struct bench_matrix b;
    size_t n;
    double *space;  // for the sums and products, here and below
};

#ifdef __cplusplus
extern "C" {
#endif

// [driver] Begin the program, make the matrices and the space. Exits with 2
// unless the size is a power of two.
struct strassen strassen_start(
    struct bench *bench, const char *implementation, int argc, char **argv);

// [driver] Is there a further round? Then nothing of the last product is left.
bool strassen_again(struct bench *bench, const struct strassen *strassen);

// [driver] Exits with 1 unless the product is right.
void strassen_check(const struct bench *bench, const struct strassen *strassen);

// [driver] Free everything, end as bench_report() does.
int strassen_end(struct bench *bench, const struct strassen *strassen);

// [any] The kernel, if it is small enough for that: true.
bool strassen_block(const struct strassen *whole);

// [any] The sums before, and the seven products to be made then, in whatever
// order or at the same time.
void strassen_split(
    const struct strassen *whole, struct strassen products[STRASSEN_PRODUCTS]);

// [any] The sums after, when the seven have been made.
void strassen_combine(const struct strassen *whole);

#ifdef __cplusplus
}
#endif

#endif
