"""The learned codec: each cluster through one network, its symbols through a range coder, exact on every machine.

A chunk (integers little-endian)::

    ranges   per band: smallest sample, then largest minus smallest, each as wide as a sample
    u32      bytes of z                                        } absent where every band is constant
    z        hyper-latents, range coded with the tables z/cdf   }
    y        latents, range coded with the tables y/cdf         }

A cluster of fewer bands than the network takes is coded with its last band repeated; only its own bands come back.
"""

