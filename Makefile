# make book   builds the book by executing its chapters, and prints the file to open
# make test   runs every test
# make help   lists the rest

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# A relative folder would be looked for beside each chapter, so make it absolute once, here. Python does it, since make's
# own abspath splits names at spaces and knows no ~.
ifneq ($(value VAECOURSE_DATA),)
ABSOLUTE = import os, sys; print(os.path.abspath(os.path.expanduser(sys.argv[1])))
override VAECOURSE_DATA := $(shell $(PYTHON) -c '$(ABSOLUTE)' '$(subst ','\'',$(value VAECOURSE_DATA))')
export VAECOURSE_DATA
endif
export JUPYTER_PLATFORM_DIRS = 1
# A terminal without the letters of a message or of a folder's name gets question marks for them, and no error.
export PYTHONIOENCODING := $(firstword $(subst :, ,$(patsubst :%,,$(PYTHONIOENCODING)))):replace
# On a machine that is busy with something else, threads that spin while they wait slow each other down tenfold.
export OMP_WAIT_POLICY = PASSIVE

.PHONY: help book test check portable lab slides execute number claims models web bench pdf epub site-zip classroom-zip address faults clean

help:
	@sed -n 's/^# make/make/p' Makefile

book: $(BIN)/.book
	@$(BIN)/python book/tools/build.py

test: $(BIN)/.book $(BIN)/.test
	@$(BIN)/python tests/run.py

# make check   style, types, imports and the library's quick tests: a minute, for while you work
check: $(BIN)/.book $(BIN)/.test
	@$(BIN)/python tests/run.py --check

# make portable   do the stored outputs hold on other processors? (hours; tests/portable.py runs parts of it)
portable: $(BIN)/.book $(BIN)/.test
	@$(BIN)/python tests/portable.py

# make lab    opens the chapters in JupyterLab
lab: $(BIN)/.book
	@$(BIN)/jupyter lab book

# make execute   runs the chapters again in place, so that the outputs in the repository are fresh
execute: $(BIN)/.book
	@$(BIN)/python book/tools/execute.py

# make number   numbers titles and links again, after a chapter was added or moved in _toc.yml
number: $(BIN)/.book
	@$(BIN)/python book/tools/number.py

# make claims   measures every number of the prose again and writes book/claims.toml
claims: $(BIN)/.book $(BIN)/.test
	@$(BIN)/python tests/recompute.py

# make models   trains the VAEs of digits that ship again (an hour on two cores)
models: $(BIN)/.book
	for m in mnist-2d strokes-2d mnist-2d-page strokes-2d-page; do \
	  $(BIN)/python -m vaecourse train $$m --folder vaecourse/weights || exit 1; done

# make web   bundles the explorer's front end again, and checks and tests it (needs Node)
web: web/node_modules/.package-lock.json
	cd web && npm run build && npm run check && npm run lint && npm test

# make slides   builds the book and a deck of slides for each chapter, and lists the decks
slides: book
	@$(BIN)/python book/tools/slides.py

# make pdf   prints the built book as one PDF with everything open (needs Chromium)
pdf: book $(BIN)/.test
	@$(BIN)/python book/tools/pdf.py

# make epub   makes the built book one EPUB for an e-reader or a phone (needs Chromium)
epub: book $(BIN)/.test
	@$(BIN)/python book/tools/epub.py

# make site-zip   packs the built book into one archive that opens by double-click, without a network
site-zip: book
	@$(BIN)/python book/tools/site_zip.py

# make classroom-zip   packs the course with its data, for people who run it in a room without a network
classroom-zip: $(BIN)/.book
	@$(BIN)/python book/tools/classroom_zip.py

# make bench   measures speed side by side with what a reader would otherwise use
bench: $(BIN)/.book $(BIN)/.test
	for name in explorer lab evidence training; do $(BIN)/python benchmarks/$$name.py || exit 1; done

# make address URL=https://github.com/you/course   says where this copy lives: buttons, install cells, citation follow
address: $(BIN)/.book
	@$(BIN)/python book/tools/address.py $(URL)

# make faults   provokes every fault and prints what the user sees and what is lost
faults: $(BIN)/.book $(BIN)/.test
	@$(BIN)/python tests/faults.py

# make clean   removes what was built; the environment too with: make clean VENV_TOO=1
clean:
	rm -rf _build dist web/node_modules .pytest_cache .ruff_cache .hypothesis $(if $(VENV_TOO),$(VENV))

web/node_modules/.package-lock.json: web/package-lock.json
	cd web && npm ci

$(BIN)/.venv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(BIN)/.book: $(BIN)/.venv pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[book]'
	@touch $@

$(BIN)/.test: $(BIN)/.book
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[book,test]'
	@touch $@
