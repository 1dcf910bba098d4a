KNOWN="x"
def run(o, opts): pass
