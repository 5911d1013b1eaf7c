from eyespot.playground.settings import Settings
from eyespot.playground.simulator import Simulator
from eyespot.playground.snapshot import draw

settings = Settings(data="xor", noise=0.1, hidden=(4, 2), activation="tanh", learning_rate=0.03)
simulator = Simulator(settings)
simulator.step(2000)  # batches; an epoch of 250 points is 25 of them
print(simulator.epochs, simulator.scores, simulator.stopped)
print(simulator.curves.train[0], simulator.curves.train[-1])

drawing = draw(simulator, resolution=50)
print(drawing.layers, drawing.surfaces.shape)  # features, hidden units and output
print(drawing.edges[0].weights, drawing.edges[0].weights_slope)  # [in, out], of the last step
print(drawing.space.axes, drawing.space.points.shape)

address = settings.to_dict()  # short texts, of what differs from the defaults
print(address, Settings.from_dict(address) == settings)
