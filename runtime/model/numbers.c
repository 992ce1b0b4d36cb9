/* numbers.c: the kinds of numbers that files of weights and arrays hold, and how they become f32.
 *
 * One row a kind, with the names that safetensors, NumPy and PyTorch give it. A tensor in a file is a first number and a step for each
 * dimension, so a view that another program has stored as it was (transposed, cut out, repeated) is read as it looks. */
#include "../runtime.h"

#include <string.h>

typedef enum { KIND_FLOAT, KIND_BRAIN, KIND_SIGNED, KIND_UNSIGNED } NumberKind;
static const struct { NumberType type; NumberKind kind; } types[] = {
    {{"F32", "f4", "Float", "float32", 4}, KIND_FLOAT}, {{"F16", "f2", "Half", "float16", 2}, KIND_FLOAT}, {{"BF16", "", "BFloat16", "bfloat16", 2}, KIND_BRAIN},
    {{"F64", "f8", "Double", "float64", 8}, KIND_FLOAT}, {{"I64", "i8", "Long", "int64", 8}, KIND_SIGNED}, {{"I32", "i4", "Int", "int32", 4}, KIND_SIGNED},
    {{"I16", "i2", "Short", "int16", 2}, KIND_SIGNED}, {{"I8", "i1", "Char", "int8", 1}, KIND_SIGNED}, {{"U64", "u8", "", "uint64", 8}, KIND_UNSIGNED},
    {{"U32", "u4", "", "uint32", 4}, KIND_UNSIGNED}, {{"U16", "u2", "", "uint16", 2}, KIND_UNSIGNED}, {{"U8", "u1", "Byte", "uint8", 1}, KIND_UNSIGNED},
    {{"BOOL", "b1", "Bool", "bool", 1}, KIND_UNSIGNED},
};
enum { TYPES = sizeof types / sizeof types[0] };

const NumberType *number_type(NumberNaming naming, const char *name) {
    for (int i = 0; *name && i < TYPES; i++) {
        const NumberType *type = &types[i].type;
        const char *const names[] = {type->name, type->numpy, type->storage, type->torch};
        if (strcmp(names[naming], name) == 0) return type;
    }
    return NULL;
}

/* ---- one number ---------------------------------------------------------------------------------------------------------- */

static float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Five bits of exponent, ten of fraction, every value exact in f32. */
static float float_of_half(uint32_t half) {
    uint32_t sign = (half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 1023;
    if (exponent == 31) return float_of_bits(sign | 0x7f800000 | fraction << 13);
    if (exponent > 0) return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
    float value = (float)fraction * 0x1p-24f;
    return sign ? -value : value;
}

static float one_value(NumberKind kind, uint64_t bytes, const uint8_t *from) {
    uint64_t bits = 0;
    for (uint64_t i = 0; i < bytes; i++) bits |= (uint64_t)from[i] << (8 * i);
    double f64;
    int shift = (int)(64 - 8 * bytes);
    switch (kind) {
    case KIND_BRAIN: return float_of_bits((uint32_t)bits << 16);
    case KIND_SIGNED: return (float)((int64_t)(bits << shift) >> shift);
    case KIND_UNSIGNED: return (float)bits;
    case KIND_FLOAT: break;
    }
    if (bytes == 2) return float_of_half((uint32_t)bits);
    if (bytes == 4) return float_of_bits((uint32_t)bits);
    memcpy(&f64, &bits, sizeof f64);
    return (float)f64;
}

/* ---- tensors --------------------------------------------------------------------------------------------------------------- */

bool tensor_lay(WeightTensor *tensor) {
    uint64_t count = 1;
    bool empty = false, overflow = false;
    for (int i = tensor->rank - 1; i >= 0; i--) {
        tensor->stride[i] = (int64_t)count;
        empty |= tensor->dim[i] == 0;
        overflow |= __builtin_mul_overflow(count, (uint64_t)tensor->dim[i], &count) || count > INT64_MAX / 8;
        if (empty) count = 0;
    }
    tensor->bytes = empty ? 0 : count * tensor->type->bytes;
    return !overflow || empty;
}

static bool row_major(const WeightTensor *tensor) {
    int64_t expected = 1;
    for (int i = tensor->rank - 1; i >= 0; i--) {
        if (tensor->dim[i] != 1 && tensor->stride[i] != expected) return false;
        expected *= tensor->dim[i];
    }
    return true;
}

void tensor_values(const WeightTensor *tensor, float *out) {
    const NumberType *type = tensor->type;
    NumberKind kind = KIND_FLOAT;
    for (int i = 0; i < TYPES; i++)
        if (type == &types[i].type) kind = types[i].kind;
    const uint64_t count = tensor->bytes / type->bytes;
    if (!count) return;
    if (row_major(tensor)) {
        if (kind == KIND_FLOAT && type->bytes == 4) memcpy(out, tensor->at, tensor->bytes);
        else
            for (uint64_t i = 0; i < count; i++) out[i] = one_value(kind, type->bytes, tensor->at + i * type->bytes);
        return;
    }
    int64_t place[TENSOR_RANK] = {0}, from = 0;
    for (uint64_t i = 0; i < count; i++) {
        out[i] = one_value(kind, type->bytes, tensor->at + (uint64_t)from * type->bytes);
        for (int k = tensor->rank - 1; k >= 0; k--) {
            from += tensor->stride[k];
            if (++place[k] < tensor->dim[k]) break;
            from -= tensor->stride[k] * tensor->dim[k];
            place[k] = 0;
        }
    }
}
