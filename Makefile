# SPDX-License-Identifier: MIT
#
# make            build/debar                       make check     format, lint, layers, licences
# make test       set up, build, unit, cli, kernel  make fuzz      FUZZ_SECONDS=30 for each fuzzer
# make demo       see it work in a throw-away guest make install   PREFIX=/usr/local DESTDIR=
# make deb        a Debian package
# make bench      what it costs                     make bypass    the known ways round, by kernel
# Everything built is under build/. V=1 shows the commands.

VERSION := 0.1
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
CC ?= cc
CLANG ?= clang
LLVM_STRIP ?= llvm-strip
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PKG_CONFIG ?= pkg-config
CFLAGS ?= -O2 -g
FUZZ_SECONDS ?= 30

# What is pure never sees libbpf: unit tests and fuzzers link without it.
PURE_PKGS := jansson sqlite3 libelf zlib libcrypto yaml-0.1 libidn2 libpsl liblzma libzstd
PKGS := libbpf libsystemd $(PURE_PKGS)
DATADIR := $(PREFIX)/share/debar
UNITDIR := $(PREFIX)/lib/systemd/system
STRICT := -std=gnu17 -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
ALL_CFLAGS := $(CFLAGS) $(STRICT) -D_GNU_SOURCE -DDEBAR_VERSION='"$(VERSION)"' \
	-DDEBAR_DATADIR='"$(DATADIR)"' -I. -Ibuild \
	$(shell $(PKG_CONFIG) --cflags $(PKGS)) -MMD -MP
LIBS := -Wl,--as-needed $(shell $(PKG_CONFIG) --libs $(PKGS)) -pthread
PURE_LIBS := -Wl,--as-needed $(shell $(PKG_CONFIG) --libs $(PURE_PKGS)) -pthread
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Wno-unused-parameter -Werror -I. -MMD -MP \
	-isystem /usr/include/$(shell $(CC) -print-multiarch 2>/dev/null)

pure := $(wildcard policy/*.c loader/identity/*.c loader/report*.c loader/answer_message.c \
	loader/boots_file.c loader/bootline.c loader/container.c loader/fold.c loader/identify.c \
	loader/judge.c loader/kills.c loader/packages.c loader/process.c loader/never_set.c \
	loader/spool.c loader/witness.c)
loader := $(filter-out $(pure),$(wildcard loader/*.c))
bpf := $(patsubst %.c,build/%.o,$(wildcard bpf/*.bpf.c))
skeleton := $(if $(bpf),build/debar.skel.h)
unit := $(patsubst %.c,build/asan/%,$(wildcard tests/unit/*_test.c))
fuzzers := $(patsubst %.c,build/%,$(wildcard tests/fuzz/*_fuzz.c))
# Programs that tests, demo and bench run in the guest; X_static.c is linked static.
helpers := $(patsubst %.c,build/%,$(wildcard tests/kernel/*.c tests/bypass/*.c tests/bench/*.c tests/demo/*.c))
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-6s %s\n' $(1) $@)

all: build/debar

build/bpf/%.bpf.o: bpf/%.bpf.c
	$(call say,BPF)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@
	$(Q)$(LLVM_STRIP) -g $@

# One object: the loader leaves out at load time what a kernel or a mode cannot have.
build/debar.bpf.o: $(bpf)
	$(call say,LINK)
	$(Q)$(BPFTOOL) gen object $@ $^

build/debar.skel.h: build/debar.bpf.o
	$(call say,SKEL)
	$(Q)$(BPFTOOL) gen skeleton $< name debar_bpf >$@

# The skeleton is seen by kernel.c and its parts alone.
$(patsubst %.c,build/%.o,$(wildcard loader/kernel*.c)): $(skeleton)
$(patsubst %.c,build/asan/%.o,$(wildcard loader/kernel*.c)): $(skeleton)

build/%.o: %.c
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c $< -o $@

# Where the shipped bans will lie is compiled in: anew when PREFIX is another.
build/loader/read.o build/asan/loader/read.o build/fuzz/loader/read.o: build/datadir
build/datadir: FORCE
	@mkdir -p $(@D)
	@echo '$(DATADIR)' | cmp -s - $@ || echo '$(DATADIR)' >$@
FORCE:

build/asan/%.o: %.c
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -O1 $(SANITIZE) -c $< -o $@

build/fuzz/%.o: %.c
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(ALL_CFLAGS) -O1 -fsanitize=fuzzer-no-link,address,undefined -c $< -o $@

build/debar: $(patsubst %.c,build/%.o,$(pure) $(loader))
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

build/asan/debar: $(patsubst %.c,build/asan/%.o,$(pure) $(loader))
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) $^ $(LIBS) -o $@

build/asan/pure.a: $(pure:%.c=build/asan/%.o)
build/fuzz/pure.a: $(pure:%.c=build/fuzz/%.o)
build/asan/pure.a build/fuzz/pure.a:
	$(call say,AR)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && ar rcs $@ $^

$(unit): build/asan/%: build/asan/%.o build/asan/pure.a
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) $^ $(PURE_LIBS) -o $@

$(fuzzers): build/tests/fuzz/%: build/fuzz/tests/fuzz/%.o build/fuzz/pure.a
	$(call say,LINK)
	@mkdir -p $(@D)
	$(Q)$(CLANG) -fsanitize=fuzzer,address,undefined $^ $(PURE_LIBS) -o $@

# Those of them that are made of the controller's own parts.
parts := build/tests/bench/publish build/tests/bench/classify
$(parts): %: %.o $(patsubst %.c,build/%.o,$(pure) $(filter-out loader/main.c,$(loader)))
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $^ $(LIBS) -o $@

$(filter-out $(parts),$(helpers)): build/%: %.c
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MF $@.d $< $(if $(filter %_static,$@),-static) -pthread -o $@

helpers: $(helpers)
	@:
unit: $(unit)

test:
	$(Q)scripts/setup --test
	$(Q)$(MAKE) --no-print-directory all build/asan/debar
	-$(Q)$(MAKE) --no-print-directory -k $(unit) $(fuzzers) helpers # one that does not compile fails by itself
	-$(Q)! command -v dpkg-shlibdeps >/dev/null || $(MAKE) --no-print-directory deb
	$(Q)scripts/run-tests unit cli net kernel bypass

demo bench:
	$(Q)scripts/setup --test
	$(Q)$(MAKE) --no-print-directory all helpers
	$(Q)scripts/$@

bypass:
	$(Q)scripts/setup --test
	$(Q)$(MAKE) --no-print-directory all helpers
	$(Q)scripts/run-tests --table bypass

fuzz: $(fuzzers)
	$(Q)scripts/fuzz $(FUZZ_SECONDS) $(fuzzers)

check: $(skeleton)
	$(Q)scripts/check-layers
	$(Q)scripts/check-style $(ALL_CFLAGS)

install: build/debar
	install -D -m 755 build/debar $(DESTDIR)$(PREFIX)/sbin/debar
	install -d $(DESTDIR)$(SYSCONFDIR)/debar/policy.d $(DESTDIR)$(DATADIR)
	$(if $(wildcard policy/bans),cp -r policy/bans $(DESTDIR)$(DATADIR)/)
	install -m 644 policy/debar-policy.schema.json $(DESTDIR)$(DATADIR)/
	install -D -m 644 docs/bans.md $(DESTDIR)$(PREFIX)/share/doc/debar/bans.md
	sed 's,/usr/sbin/debar,$(PREFIX)/sbin/debar,' packaging/apt-hook >$(DESTDIR)$(DATADIR)/apt-hook
	chmod 755 $(DESTDIR)$(DATADIR)/apt-hook
	sed 's,/usr/share/debar,$(DATADIR),' packaging/apt.conf >$(DESTDIR)$(DATADIR)/apt.conf
	chmod 644 $(DESTDIR)$(DATADIR)/apt.conf
	install -D -m 644 loader/debar.8 $(DESTDIR)$(PREFIX)/share/man/man8/debar.8
	install -D -m 644 policy/debar-policy.5 $(DESTDIR)$(PREFIX)/share/man/man5/debar-policy.5
	install -D -m 644 loader/debar.bash-completion \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/debar
	install -d $(DESTDIR)$(SYSCONFDIR)/debar/trust.d $(DESTDIR)$(UNITDIR)
	sed 's,/usr/sbin/debar,$(PREFIX)/sbin/debar,' loader/debar.service \
		>$(DESTDIR)$(UNITDIR)/debar.service

deb: build/debar
	$(Q)rm -rf build/deb
	$(Q)$(MAKE) --no-print-directory install DESTDIR=build/deb PREFIX=/usr >/dev/null
	$(Q)packaging/build-deb $(VERSION) build/deb

clean:
	rm -rf $(filter-out build/kernels,$(wildcard build/*))

.PHONY: FORCE all helpers unit test demo bench bypass fuzz check install deb clean
.DELETE_ON_ERROR:
.SECONDARY:
-include $(shell find build -name '*.d' -type f 2>/dev/null)
