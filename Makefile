# make            build/jre                       make test [T=path]  all tests, or one: T=tests/ops.c, T=tests/errors/unknown_key.jre
# make demo       paint the sample, run v01       make san            the suite under address and undefined-behavior sanitizers
# make bench      speed, as ratios [P=pictures]   make promote        take what the golden tests print now as what is expected
# make aarch64    the kernels cross-compiled, run under qemu-user
# make peers      beside Pillow, numpy, torch, wildlife-datasets, ... from PyPI [P=name]
# make fault      everything that can fail, fails    make tsan / valgrind   threads under ThreadSanitizer / a run under memcheck
# make deps       install what is missing         make install PREFIX=/usr/local
CC      = gcc
B       = build
MODE    = -O2 -g
PREFIX  = /usr/local
STRICT  = -Wall -Wextra -Wconversion -Wno-sign-conversion -Wshadow -Wstrict-prototypes -Werror
CFLAGS  = -std=c11 -D_GNU_SOURCE $(MODE) $(STRICT) -MMD -MP -I$(B)/lang -Ilang
LIBS    = -lpng -ljpeg -lcjson -lxxhash -lz -lm -lpthread
TSAN    = B=build/tsan MODE="-O1 -g -fsanitize=thread"
SAN     = B=build/san MODE="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
AARCH64_PACKAGES = gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
PACKAGES = gcc libc6-dev flex bison libpng-dev libjpeg62-turbo-dev libcjson-dev libxxhash-dev zlib1g-dev libcmocka-dev

# One source, several instruction levels; the best one the processor has is chosen at start-up.
MACHINE := $(shell uname -m)
LEVELS   = $(if $(filter x86_64,$(MACHINE)),2 3 4,0)
LEVEL_FLAGS_2 = -march=x86-64-v2
LEVEL_FLAGS_3 = -march=x86-64-v3
LEVEL_FLAGS_4 = -march=x86-64-v4 -mprefer-vector-width=512
# Sanitizers look at what is written, not at speed: what they add to unrolled and vectorized loops takes minutes to build.
LEVEL_MODE = $(if $(findstring -fsanitize,$(MODE)),,-O3)
LEVELED  = $(filter-out kernels/cpu/reference.c,$(wildcard kernels/cpu/*.c))

SOURCES  = $(wildcard lang/*.c compiler/*.c compiler/cli/*.c runtime/*/*.c kernels/*.c) kernels/cpu/reference.c
OBJECTS  = $(SOURCES:%.c=$(B)/%.o) $(B)/lang/grammar.tab.o $(B)/lang/lexer.o \
           $(foreach level,$(LEVELS),$(LEVELED:%.c=$(B)/%.v$(level).o))
ROOMS    = $(filter-out $(B)/compiler/cli/main.o,$(OBJECTS))
PAINTER  = $(patsubst %.c,$(B)/%.o,$(wildcard examples/jaguars/*.c))
PROGRAMS = $(patsubst tests/%.c,$(B)/tests/%,$(shell grep -ls '^int main' tests/*.c))
HELPERS  = $(patsubst %.c,$(B)/%.o,$(shell grep -Ls '^int main' tests/*.c))
KERNEL_TESTS = $(shell grep -l '"../kernels/kernels.h"' $$(grep -LE '^.include "([^.]|\.\./[^k])' tests/*.c))
PEERS    = $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/peers/*.c))
BENCHES  = $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/bench/*.c))

.PHONY: all deps demo test run-tests san fault tsan valgrind aarch64 kernel-tests print-kernel-tests peers bench promote install clean
all: $(B)/jre $(B)/paint
.DELETE_ON_ERROR:
.SECONDARY:

# ---- what is needed -------------------------------------------------------------------------------------------------
HEADERS = $(addprefix /usr/include/,png.h jpeglib.h cjson/cJSON.h xxhash.h zlib.h cmocka.h)
$(B)/.deps:
	@mkdir -p $(B)/lang
	@ok=1; for tool in $(CC) flex bison; do command -v $$tool >/dev/null || ok=; done; \
	 for file in $(HEADERS); do test -e $$file || ok=; done; \
	 if [ -z "$$ok" ]; then $(MAKE) --no-print-directory deps; fi
	@touch $@
deps:
	@if command -v apt-get >/dev/null && { [ "$$(id -u)" = 0 ] || command -v sudo >/dev/null; }; then \
	   root=; [ "$$(id -u)" = 0 ] || root=sudo; echo "installing: $(PACKAGES)"; \
	   $$root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$root apt-get install -y -qq --no-install-recommends $(PACKAGES) >/dev/null; \
	 else echo "please install (Debian's names): $(PACKAGES)"; exit 1; fi

# ---- building ---------------------------------------------------------------------------------------------------------
$(B)/jre: $(OBJECTS)
	@echo "  link $@"; $(CC) $(MODE) -o $@ $^ $(LIBS)
$(B)/paint: $(PAINTER)
	@echo "  link $@"; $(CC) $(MODE) -o $@ $^ $(LIBS)
$(B)/lang/grammar.tab.c $(B)/lang/grammar.tab.h &: lang/grammar.y | $(B)/.deps
	@echo "  bison $<"; bison -Wall -Wcounterexamples -Werror -d -o $(B)/lang/grammar.tab.c $<
$(B)/lang/lexer.c: lang/lexer.l | $(B)/.deps
	@echo "  flex $<"; flex -o $@ $<
$(B)/lang/%.o: $(B)/lang/%.c $(B)/lang/grammar.tab.h
	@echo "  cc   $<"; $(CC) $(CFLAGS) -c -o $@ $<
$(B)/%.o: %.c $(B)/lang/grammar.tab.h | $(B)/.deps
	@mkdir -p $(@D)
	@echo "  cc   $<"; $(CC) $(CFLAGS) -c -o $@ $<
$(B)/examples/%.o: examples/%.c | $(B)/.deps
	@mkdir -p $(@D)
	@echo "  cc   $<"; $(CC) $(CFLAGS) -ffp-contract=off -c -o $@ $<
define leveled
$(B)/%.v$(1).o: %.c | $(B)/.deps
	@mkdir -p $$(@D)
	@echo "  cc   $$<  level $(1)"; $(CC) $(CFLAGS) $(LEVEL_MODE) -ffp-contract=off -fno-math-errno -fno-trapping-math -DKERNEL_LEVEL=$(1) $(LEVEL_FLAGS_$(1)) -c -o $$@ $$<
endef
$(foreach level,$(LEVELS),$(eval $(call leveled,$(level))))
$(KERNEL_TESTS:%.c=$(B)/%): $(B)/%: $(B)/%.o $(filter $(B)/kernels/%,$(OBJECTS))
	@echo "  link $@"; $(CC) $(MODE) -o $@ $^ -lm -lpthread -lcmocka
$(B)/tests/%: $(B)/tests/%.o $(HELPERS) $(ROOMS) $(filter-out %/paint.o,$(PAINTER))
	@echo "  link $@"; $(CC) $(MODE) -o $@ $^ $(LIBS) -lcmocka

# ---- using ---------------------------------------------------------------------------------------------------------------
SAMPLE = $(B)/sample
$(SAMPLE)/train.csv: $(B)/paint
	@$(B)/paint $(SAMPLE)
demo: all $(SAMPLE)/train.csv
	@tests/demo.sh $(B)

# ---- tests ------------------------------------------------------------------------------------------------------------------
test: run-tests
	@if [ -z "$(T)" ]; then $(MAKE) --no-print-directory run-tests $(SAN) COUNTS=build/san/counts; tests/aarch64.sh build/aarch64/counts $(AARCH64_PACKAGES); fi
	@tests/run.sh sum $(B)/counts $(if $(T),,build/san/counts build/aarch64/counts)
COUNTS = $(B)/counts
run-tests: all $(if $(filter tests/%.c,$(T)),$(B)/tests/$(basename $(notdir $(T))),$(if $(T),,$(PROGRAMS)))
	@tests/run.sh run $(B) $(COUNTS) $(T)
san:
	@$(MAKE) --no-print-directory run-tests $(SAN) COUNTS=build/san/counts
	@tests/run.sh sum build/san/counts
aarch64:
	@tests/aarch64.sh build/aarch64/counts $(AARCH64_PACKAGES)
	@tests/run.sh sum build/aarch64/counts
fault: all $(B)/tests/fault
	@JRE_FAULT=all JRE_BUILD=$(B) JRE_STDLIB=$(CURDIR)/stdlib $(B)/tests/fault
THREADED = loader dataset device pairs retrieval session
tsan:
	@$(MAKE) --no-print-directory all $(THREADED:%=build/tsan/tests/%) $(TSAN)
	@tests/watched.sh threads build/tsan $(THREADED)
MEMORY = lang files image loader safetensors checkpoint tables device retrieval
valgrind: all $(MEMORY:%=$(B)/tests/%)
	@tests/watched.sh memory $(B) $(MEMORY)
kernel-tests: $(KERNEL_TESTS:%.c=$(B)/%)
print-kernel-tests:
	@echo $(KERNEL_TESTS)
promote: all
	@tests/golden.sh $(B) promote $(T)
peers: all $(PEERS)
	@tests/peers/run.sh $(B) $(P)
bench: all $(BENCHES) $(SAMPLE)/train.csv
	@tests/bench/bench.sh $(B) $(P)

install: all
	install -D $(B)/jre $(DESTDIR)$(PREFIX)/bin/jre
	mkdir -p $(DESTDIR)$(PREFIX)/share/jre $(DESTDIR)$(PREFIX)/share/man/man1
	cp -r stdlib examples/manual $(DESTDIR)$(PREFIX)/share/jre/
	$(DESTDIR)$(PREFIX)/bin/jre doc --man > $(DESTDIR)$(PREFIX)/share/man/man1/jre.1
clean:
	rm -rf build

-include $(wildcard $(B)/*/*.d $(B)/*/*/*.d)
