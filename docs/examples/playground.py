from eyespot.playground.settings import Settings
from eyespot.playground.simulator import Simulator
from eyespot.playground.snapshot import draw

settings = Settings(data="xor", noise=0.1, hidden=(4, 2), activation="tanh", learning_rate=0.03)
simulator = Simulator(settings)
simulator.step(2000)  # batches; an epoch of 250 points is 25 of them
print(simulator.epochs, simulator.scores, simulator.stopped)
print(simulator.curves.train[0], simulator.curves.train[-1])

picture = draw(simulator, resolution=50)
print(picture.layers, picture.surfaces.shape)  # features, hidden units and output
print(picture.edges[0].weights, picture.edges[0].weights_slope)  # [in, out], of the last step
print(picture.space.axes, picture.space.points.shape)

address = settings.to_dict()  # short texts, of what differs from the defaults
print(address, Settings.from_dict(address) == settings)
