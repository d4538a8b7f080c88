"""A callback that makes a run of a training by Lightning: what the module logs is recorded, and its knobs are steered.

    steered = Steered(terms={"kl": "beta", "reconstruction": None}, knobs={"beta": 1.0})
    Trainer(max_steps=1000, callbacks=[steered]).fit(module, data)

The module reads `self.trainer.knob("beta")` where it needs the value, and logs its terms with `self.log`.
"""

from lightning.pytorch.callbacks import Callback

import laddertop


class Steered(Callback):
    """Takes up what people ask for before each step, and records each."""

    def __init__(self, terms, knobs, **options):
        self._declared = {"terms": terms, "knobs": knobs, **options}
        self._terms = list(terms)

    def on_train_start(self, trainer, module):
        self.run = laddertop.start(steps=trainer.max_steps, **self._declared)
        self._steps = iter(self.run)
        trainer.knob = self.run.knob

    def on_train_batch_start(self, trainer, module, batch, index):
        if next(self._steps, None) is None:
            trainer.should_stop = True
            return -1

    def on_train_batch_end(self, trainer, module, outputs, batch, index):
        logged = trainer.callback_metrics
        self.run.record(**{name: logged[name] for name in self._terms if name in logged})

    def on_train_end(self, trainer, module):
        next(self._steps, None)
        self.run.end()
