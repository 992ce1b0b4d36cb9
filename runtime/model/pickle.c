/* pickle.c: what a pickle describes, without calling any of it.
 *
 * A pickle is a program for a small machine with a stack: it pushes numbers, texts and containers, asks for Python's functions by name and calls
 * them. Here the names that a file of tensors needs are the rows of a table, "calling" one makes a description of what it would have
 * made, and any other name is refused, so nothing of the file ever runs. Every instruction makes at most one object, so memory is bounded
 * by the file's length; what refers to itself, or to one thing a thousand times, is harmless, as nobody walks it from end to end. */
#include "../runtime.h"

#include <string.h>

enum { OBJECTS_MOST = 1 << 22, MARK_NONE = -1 };

/* ---- names that may be asked for --------------------------------------------------------------------------------------------------- */

static const struct { const char *name; GlobalRole role; } globals[] = {
    {"collections.OrderedDict", ROLE_TABLE}, {"collections.defaultdict", ROLE_TABLE}, {"collections.Counter", ROLE_TABLE},
    {"builtins.dict", ROLE_TABLE}, {"__builtin__.dict", ROLE_TABLE}, {"builtins.set", ROLE_LIST}, {"__builtin__.set", ROLE_LIST},
    {"builtins.list", ROLE_LIST}, {"__builtin__.list", ROLE_LIST}, {"torch.Size", ROLE_LIST}, {"torch.device", ROLE_NOTHING},
    {"torch.serialization._get_layout", ROLE_NOTHING}, {"torch._utils._rebuild_tensor", ROLE_TENSOR}, {"torch._utils._rebuild_tensor_v2", ROLE_TENSOR},
    {"torch._utils._rebuild_tensor_v3", ROLE_TYPED_TENSOR}, {"torch._utils._rebuild_parameter", ROLE_PARAMETER},
    {"torch._utils._rebuild_parameter_with_state", ROLE_PARAMETER}, {"torch.storage.UntypedStorage", ROLE_UNTYPED}, {"torch.UntypedStorage", ROLE_UNTYPED},
};

static Object *object_new(Pickle *pickle, ObjectKind kind) {
    Object *object = arena_new(pickle->arena, Object);
    object->kind = kind;
    pickle->objects++;
    return object;
}

/* "torch.FloatStorage" and "torch.float32" are kinds of numbers. */
static bool take_number_type(Object *global, const char *name) {
    static const char room[] = "torch.", ending[] = "Storage";
    char type[32] = {0};
    if (strncmp(name, room, strlen(room)) != 0) return false;
    const char *word = name + strlen(room), *storage = strstr(word, ending);
    size_t length = storage ? (size_t)(storage - word) : strlen(word);
    if (length >= sizeof type || (storage && storage[strlen(ending)])) return false;
    memcpy(type, word, length);
    global->type = number_type(storage ? NAMED_AS_STORAGE : NAMED_AS_TORCH, type);
    global->role = storage ? ROLE_STORAGE : ROLE_TYPE;
    return global->type != NULL;
}

static Object *global_named(Pickle *pickle, const char *name) {
    static const char *const help = "write the weights alone: torch.save(model.state_dict(), \"weights.pth\"); nothing of this file was run";
    Object *global = object_new(pickle, OBJECT_GLOBAL);
    global->text = name;
    if (take_number_type(global, name)) return global;
    for (size_t i = 0; i < sizeof globals / sizeof *globals; i++)
        if (!strcmp(globals[i].name, name)) {
            global->role = globals[i].role;
            return global;
        }
    weights_refuse(pickle->jre, pickle->file, help, "it asks for `%.200s`, and weights are data: all I know are the functions that put tensors together", name);
    return NULL;
}

/* ---- the machine --------------------------------------------------------------------------------------------------------------------- */

typedef LIST(Object *) ObjectList;
typedef struct { Pickle *pickle; ObjectList stack, memo; LIST(int) marks; } Machine;

static bool broken(const Machine *machine, const char *what) {
    const Pickle *pickle = machine->pickle;
    return weights_refuse(pickle->jre, pickle->file, NULL, "its pickle is damaged: %s before byte %zu", what, (size_t)(pickle->at - pickle->start));
}

static bool push(Machine *machine, Object *object) {
    if (!object) return false;
    if (machine->pickle->objects > OBJECTS_MOST) return broken(machine, "it holds more than 4 million objects");
    list_add(machine->pickle->arena, &machine->stack, object);
    return true;
}

/* Where the stack begins for the instruction at hand: nothing is taken from below the last mark. */
static int floor_of(const Machine *machine) { return machine->marks.count ? machine->marks.at[machine->marks.count - 1] : 0; }

static Object *pop(Machine *machine) {
    if (machine->stack.count <= floor_of(machine)) {
        broken(machine, "its stack is empty");
        return NULL;
    }
    return machine->stack.at[--machine->stack.count];
}

static Object *top(const Machine *machine) {
    if (machine->stack.count > floor_of(machine)) return machine->stack.at[machine->stack.count - 1];
    broken(machine, "its stack is empty");
    return NULL;
}

/* The next bytes of the file; NULL: it ends before. */
static const uint8_t *take(Machine *machine, uint64_t length) {
    Pickle *pickle = machine->pickle;
    if (length > (uint64_t)(pickle->end - pickle->at)) {
        broken(machine, "the file ends");
        return NULL;
    }
    const uint8_t *at = pickle->at;
    pickle->at += length;
    return at;
}

static bool take_size(Machine *machine, int bytes, uint64_t *size) {
    const uint8_t *at = take(machine, (uint64_t)bytes);
    *size = 0;
    for (int i = 0; at && i < bytes; i++) *size |= (uint64_t)at[i] << (8 * i);
    return at != NULL;
}

/* A line of text, without its end. */
static bool take_line(Machine *machine, const char **line, size_t *length) {
    Pickle *pickle = machine->pickle;
    const uint8_t *end = memchr(pickle->at, '\n', (size_t)(pickle->end - pickle->at));
    if (!end) return broken(machine, "a line of text has no end");
    *line = (const char *)pickle->at;
    *length = (size_t)(end - pickle->at);
    pickle->at = end + 1;
    return true;
}

/* ---- numbers and texts ------------------------------------------------------------------------------------------------------------------ */

static bool push_number(Machine *machine, int64_t number) {
    Object *object = object_new(machine->pickle, OBJECT_NUMBER);
    object->number = number;
    return push(machine, object);
}

/* So many bytes, the highest of which carries the sign. Longer ones are kept as bytes: no size or place needs them. */
static bool push_integer(Machine *machine, uint64_t bytes, bool is_signed) {
    const uint8_t *at = take(machine, bytes);
    if (!at) return false;
    if (bytes > 8) {
        Object *object = object_new(machine->pickle, OBJECT_BYTES);
        object->text = (const char *)at;
        object->length = (size_t)bytes;
        return push(machine, object);
    }
    uint64_t number = is_signed && bytes && at[bytes - 1] & 128 ? UINT64_MAX : 0;
    for (uint64_t i = bytes; i-- > 0;) number = number << 8 | at[i];
    return push_number(machine, (int64_t)number);
}

static bool push_sized(Machine *machine, int size_bytes, ObjectKind kind) {
    uint64_t length;
    if (!take_size(machine, size_bytes, &length)) return false;
    if (kind == OBJECT_NUMBER) return push_integer(machine, length, true);
    const uint8_t *at = take(machine, length);
    if (!at) return false;
    Object *object = object_new(machine->pickle, kind);
    object->text = (const char *)at;
    object->length = (size_t)length;
    return push(machine, object);
}

/* "12\n", and "01\n" for true. */
static bool push_written_number(Machine *machine) {
    const char *line = "";
    size_t length = 0;
    if (!take_line(machine, &line, &length)) return false;
    if (length && line[length - 1] == 'L') length--;
    bool negative = length && *line == '-';
    int64_t number = 0;
    for (size_t i = negative; i < length; i++) {
        if (line[i] < '0' || line[i] > '9' || i > 17) return broken(machine, "a number is none");
        number = number * 10 + (line[i] - '0');
    }
    return push_number(machine, negative ? -number : number);
}

static bool push_real(Machine *machine, uint64_t bytes) { return take(machine, bytes) && push(machine, object_new(machine->pickle, OBJECT_NOTHING)); }

static bool constant(Machine *machine, uint8_t op, bool *known) {
    switch (op) {
    case 'N': return push(machine, object_new(machine->pickle, OBJECT_NOTHING));
    case 0x88: return push_number(machine, 1);
    case 0x89: return push_number(machine, 0);
    case 'J': return push_integer(machine, 4, true);
    case 'K': return push_integer(machine, 1, false);
    case 'M': return push_integer(machine, 2, false);
    case 'I': case 'L': return push_written_number(machine);
    case 0x8a: return push_sized(machine, 1, OBJECT_NUMBER);
    case 0x8b: return push_sized(machine, 4, OBJECT_NUMBER);
    case 'G': return push_real(machine, 8);
    case 'X': return push_sized(machine, 4, OBJECT_TEXT);
    case 0x8c: return push_sized(machine, 1, OBJECT_TEXT);
    case 0x8d: return push_sized(machine, 8, OBJECT_TEXT);
    case 'U': return push_sized(machine, 1, OBJECT_TEXT);          /* of Python 2, where texts are bytes */
    case 'T': return push_sized(machine, 4, OBJECT_TEXT);
    case 'C': return push_sized(machine, 1, OBJECT_BYTES);
    case 'B': return push_sized(machine, 4, OBJECT_BYTES);
    case 0x8e: return push_sized(machine, 8, OBJECT_BYTES);
    default: *known = false; return true;
    }
}

/* ---- containers -------------------------------------------------------------------------------------------------------------------------- */

static bool push_list(Machine *machine, int first, ObjectKind kind) {
    Object *list = object_new(machine->pickle, kind);
    for (int i = first; i < machine->stack.count; i++) list_add(machine->pickle->arena, &list->items, machine->stack.at[i]);
    machine->stack.count = first;
    return push(machine, list);
}

/* What stands above the last mark, which is taken away. -1: diagnosed. */
static int above_mark(Machine *machine) {
    if (machine->marks.count) return machine->marks.at[--machine->marks.count];
    broken(machine, "a mark is missing");
    return MARK_NONE;
}

static bool push_marked(Machine *machine, ObjectKind kind) {
    int first = above_mark(machine);
    if (first == MARK_NONE) return false;
    if (kind == OBJECT_TABLE && (machine->stack.count - first) % 2) return broken(machine, "a key has no value");
    return push_list(machine, first, kind);
}

static bool push_last(Machine *machine, int count) {
    if (machine->stack.count - floor_of(machine) < count) return broken(machine, "its stack is empty");
    return push_list(machine, machine->stack.count - count, OBJECT_LIST);
}

/* Moves what stands from `first` upward into the container below it. */
static bool fill(Machine *machine, int first, ObjectKind kind) {
    if (first <= floor_of(machine)) return first == MARK_NONE ? false : broken(machine, "its stack is empty");
    Object *container = machine->stack.at[first - 1];
    int count = machine->stack.count - first;
    if (container->kind != kind) return broken(machine, kind == OBJECT_TABLE ? "a key is set in what is no table" : "something is added to what is no list");
    if (kind == OBJECT_TABLE && count % 2) return broken(machine, "a key has no value");
    for (int i = 0; i < count; i++) list_add(machine->pickle->arena, &container->items, machine->stack.at[first + i]);
    machine->stack.count = first;
    return true;
}

static bool fill_last(Machine *machine, int count, ObjectKind kind) {
    if (machine->stack.count - floor_of(machine) < count + 1) return broken(machine, "its stack is empty");
    return fill(machine, machine->stack.count - count, kind);
}

static bool pop_marked(Machine *machine) {
    int first = above_mark(machine);
    if (first != MARK_NONE) machine->stack.count = first;
    return first != MARK_NONE;
}

static bool container(Machine *machine, uint8_t op, bool *known) {
    switch (op) {
    case '(': list_add(machine->pickle->arena, &machine->marks, machine->stack.count); return true;
    case '0': return pop(machine) != NULL;
    case '1': return pop_marked(machine);
    case '2': return push(machine, top(machine));
    case ')': return push_last(machine, 0);
    case 0x85: return push_last(machine, 1);
    case 0x86: return push_last(machine, 2);
    case 0x87: return push_last(machine, 3);
    case 't': case 'l': case 0x91: return push_marked(machine, OBJECT_LIST);
    case 'd': return push_marked(machine, OBJECT_TABLE);
    case ']': case 0x8f: return push_last(machine, 0);
    case '}': return push(machine, object_new(machine->pickle, OBJECT_TABLE));
    case 'a': return fill_last(machine, 1, OBJECT_LIST);
    case 'e': case 0x90: return fill(machine, above_mark(machine), OBJECT_LIST);
    case 's': return fill_last(machine, 2, OBJECT_TABLE);
    case 'u': return fill(machine, above_mark(machine), OBJECT_TABLE);
    default: *known = false; return true;
    }
}

/* ---- what was seen before -------------------------------------------------------------------------------------------------------------------- */

/* Pickles number what they remember one by one, from 0 on, and Python 2 from 1 on. */
static bool remember(Machine *machine, uint64_t place) {
    Object *object = top(machine);
    if (!object) return false;
    if (place == 1 && !machine->memo.count) list_add(machine->pickle->arena, &machine->memo, object_new(machine->pickle, OBJECT_NOTHING));
    if (place > (uint64_t)machine->memo.count) return broken(machine, "it remembers a thing under a number that is not the next");
    if (place < (uint64_t)machine->memo.count) machine->memo.at[place] = object;
    else list_add(machine->pickle->arena, &machine->memo, object);
    return true;
}

static bool recall(Machine *machine, uint64_t place) {
    if (place >= (uint64_t)machine->memo.count) return broken(machine, "it asks for a thing that was not there before");
    return push(machine, machine->memo.at[place]);
}

static bool memo(Machine *machine, uint8_t op, bool *known) {
    uint64_t place;
    switch (op) {
    case 'q': return take_size(machine, 1, &place) && remember(machine, place);
    case 'r': return take_size(machine, 4, &place) && remember(machine, place);
    case 0x94: return remember(machine, (uint64_t)machine->memo.count);
    case 'h': return take_size(machine, 1, &place) && recall(machine, place);
    case 'j': return take_size(machine, 4, &place) && recall(machine, place);
    default: *known = false; return true;
    }
}

/* ---- names and calls --------------------------------------------------------------------------------------------------------------------------- */

static bool push_global(Machine *machine, const char *module, size_t module_length, const char *name, size_t name_length) {
    if (module_length > 200 || name_length > 200) return broken(machine, "a name is longer than any");
    return push(machine, global_named(machine->pickle, arena_print(machine->pickle->arena, "%.*s.%.*s", (int)module_length, module, (int)name_length, name)));
}

static bool push_written_global(Machine *machine) {
    const char *module = "", *name = "";
    size_t module_length = 0, name_length = 0;
    return take_line(machine, &module, &module_length) && take_line(machine, &name, &name_length) && push_global(machine, module, module_length, name, name_length);
}

static bool push_stacked_global(Machine *machine) {
    const Object *name = pop(machine), *module = name ? pop(machine) : NULL;
    if (!module) return false;
    if (name->kind != OBJECT_TEXT || module->kind != OBJECT_TEXT) return broken(machine, "a name is no text");
    return push_global(machine, module->text, module->length, name->text, name->length);
}

/* An OrderedDict's entries follow its call, but in Python 2 they are its argument, a list of lists of two. */
static Object *table_of(Pickle *pickle, const Object *arguments) {
    Object *table = object_new(pickle, OBJECT_TABLE);
    const Object *entries = arguments->items.count && arguments->items.at[0]->kind == OBJECT_LIST ? arguments->items.at[0] : NULL;
    for (int i = 0; entries && i < entries->items.count; i++) {
        const Object *entry = entries->items.at[i];
        for (int k = 0; k < 2 && entry->kind == OBJECT_LIST && entry->items.count == 2; k++) list_add(pickle->arena, &table->items, entry->items.at[k]);
    }
    return table;
}

/* What a call of the function would make. */
static Object *made_by(Machine *machine, const Object *function, Object *arguments) {
    Pickle *pickle = machine->pickle;
    Object *made;
    switch (function->role) {
    case ROLE_TABLE: return table_of(pickle, arguments);
    case ROLE_LIST: return arguments->items.count && arguments->items.at[0]->kind == OBJECT_LIST ? arguments->items.at[0] : object_new(pickle, OBJECT_LIST);
    case ROLE_PARAMETER:
        if (arguments->items.count && arguments->items.at[0]->kind == OBJECT_TENSOR) return arguments->items.at[0];
        broken(machine, "a parameter holds no tensor");
        return NULL;
    case ROLE_TENSOR: case ROLE_TYPED_TENSOR:
        made = object_new(pickle, OBJECT_TENSOR);
        made->items.at = arguments->items.at, made->items.count = made->items.room = arguments->items.count;
        if (function->role == ROLE_TYPED_TENSOR && arguments->items.count > 6) made->type = arguments->items.at[6]->type;
        return made;
    default: return object_new(pickle, OBJECT_NOTHING);
    }
}

static bool reduce(Machine *machine) {
    Object *arguments = pop(machine);
    const Object *function = arguments ? pop(machine) : NULL;
    if (!function) return false;
    if (function->kind != OBJECT_GLOBAL || arguments->kind != OBJECT_LIST) return broken(machine, "it calls what is no function");
    return push(machine, made_by(machine, function, arguments));
}

/* Attributes of a table (PyTorch keeps versions of modules there) are nobody's weights. */
static bool build(Machine *machine) {
    if (!pop(machine)) return false;
    const Object *object = top(machine);
    if (!object) return false;
    return object->kind == OBJECT_TABLE || object->kind == OBJECT_TENSOR || broken(machine, "it sets attributes of what has none");
}

static bool push_storage(Machine *machine) {
    Object *described = pop(machine);
    if (!described) return false;
    if (described->kind != OBJECT_LIST || described->items.count < 5 || !object_is_text(described->items.at[0], "storage")) return broken(machine, "it refers to something that is no storage of numbers");
    Object *storage = object_new(machine->pickle, OBJECT_STORAGE);
    storage->items.at = described->items.at, storage->items.count = storage->items.room = described->items.count;
    list_add(machine->pickle->arena, &machine->pickle->storages, storage);
    return push(machine, storage);
}

static bool call(Machine *machine, uint8_t op, bool *known) {
    switch (op) {
    case 'c': return push_written_global(machine);
    case 0x93: return push_stacked_global(machine);
    case 'R': case 0x81: return reduce(machine);
    case 'b': return build(machine);
    case 'Q': return push_storage(machine);
    case 0x80: return take(machine, 1) != NULL;                    /* the version */
    case 0x95: return take(machine, 8) != NULL;                    /* a frame's length */
    default: *known = false; return true;
    }
}

/* ---- walking it ----------------------------------------------------------------------------------------------------------------------------------- */

static bool step(Machine *machine, uint8_t op) {
    static bool (*const groups[])(Machine *, uint8_t, bool *) = {constant, container, memo, call};
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        bool known = true, sound = groups[i](machine, op, &known);
        if (known) return sound;
    }
    Arena scratch = {.jre = machine->pickle->jre};
    broken(machine, arena_print(&scratch, "an instruction 0x%02x, which no file of tensors has,", op));
    arena_free(&scratch);
    return false;
}

Object *pickle_read(Pickle *pickle) {
    Machine machine = {.pickle = pickle};
    while (pickle->at < pickle->end) {
        uint8_t op = *pickle->at++;
        if (op == '.') return pop(&machine);
        if (!step(&machine, op)) return NULL;
    }
    broken(&machine, "the file ends");
    return NULL;
}

bool object_is_text(const Object *object, const char *text) {
    return object->kind == OBJECT_TEXT && object->length == strlen(text) && memcmp(object->text, text, object->length) == 0;
}

Object *object_at(const Object *table, const char *key) {
    Object *found = NULL;
    if (table->kind != OBJECT_TABLE) return NULL;
    for (int i = 0; i + 1 < table->items.count; i += 2)
        if (object_is_text(table->items.at[i], key)) found = table->items.at[i + 1];
    return found;
}
